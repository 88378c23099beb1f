import { type Call, HeddleError } from '@heddle/kernel';

/**
 * Reads `source` for as long as the call is wanted: rejects with the reason as soon as the call is cancelled, even if
 * the source does not heed that. Leaving the loop, however it comes, tells the source so.
 */
export async function* untilCancelled<T>(source: AsyncIterable<T>, call: Call): AsyncGenerator<T, void> {
  const iterator = source[Symbol.asyncIterator]();
  let done = false;
  try {
    for (;;) {
      const step = await orCancelled(iterator.next(), call);
      if (step.done === true) {
        done = true;
        return;
      }
      yield step.value;
    }
  } finally {
    // Not awaited: a source that hangs would keep us here, and nobody is interested in it any more.
    if (!done) leave(iterator);
  }
}

/** The promise, or the reason of a cancel that comes first. */
export function orCancelled<T>(promise: Promise<T>, call: Call): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = call.onCancel(reject);
    promise.then(
      (value) => {
        stopListening();
        resolve(value);
      },
      (thrown: unknown) => {
        stopListening();
        reject(HeddleError.from(thrown));
      },
    );
  });
}

/**
 * Puts the call's end off to whoever reads its response; the function returned is called when that begins. A response
 * that is given up before anybody has read from it ends the call here.
 */
export function endUnlessBegun(call: Call): () => void {
  call.deferEnd();
  return call.onCancel((error) => call.end(error));
}

function leave(iterator: AsyncIterator<unknown>): void {
  const left = iterator.return?.();
  left?.catch(() => {});
}
