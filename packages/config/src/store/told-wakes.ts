import type { Call, HeddleError } from '@heddle/kernel';

/** How a source tells: `wake` when something may be new, `fail` when it can tell no more. */
export interface WakeListener {
  readonly wake: () => void;
  readonly fail: (error: HeddleError) => void;
}

/**
 * `wakes` of a source that calls back: once at the beginning, then after each `wake`; many before the reader is back are
 * one. `listen` gives what ends the listening.
 */
export async function* toldWakes(
  call: Call,
  listen: (listener: WakeListener) => () => void,
): AsyncGenerator<void, never> {
  let isNew = true;
  let failed: HeddleError | undefined;
  let resume = (): void => {};
  const wake = (): void => {
    isNew = true;
    resume();
  };
  const fail = (error: HeddleError): void => {
    failed = error;
    resume();
  };
  const stopListening = listen({ wake, fail });
  const stopCancel = call.onCancel(fail);
  try {
    for (;;) {
      if (failed !== undefined) throw failed;
      call.throwIfCancelled();
      if (isNew) {
        isNew = false;
        yield;
      } else
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
    }
  } finally {
    stopCancel();
    stopListening();
  }
}
