import { Call, HeddleError, perform, type Runtime, sleep } from '@heddle/kernel';
import { endpoint, Fields, type HttpRequest, streamBody } from '@heddle/wire';
import type { StreamBook } from './stream-book.ts';
import { streamHost, streamPort } from './stream-server.ts';

/** A running client of streams. */
export interface RunningStreamClient {
  /** Resolves when its calls have ended and its connections are closed. */
  stop(): Promise<void>;
}

/** Patience for a call. */
export const patienceMs = 4000;
const everyMs = 150;
const longestBytes = 1_000_000;

/** Sends streams at random, without waiting for one before the next, all over one endpoint. */
export function runStreamClient(
  runtime: Runtime,
  name: string,
  book: StreamBook,
  keepaliveMs = 1000,
): RunningStreamClient {
  const limits = { keepaliveMs, keepaliveIdleMs: keepaliveMs, keepaliveTimeoutMs: 1000, connectMs: 1000 };
  const way = endpoint({
    runtime,
    address: { host: streamHost, port: streamPort },
    protocol: 'http2',
    limits,
  });
  const running = new Set<Promise<void>>();
  let stopped = false;
  const one = async (id: string): Promise<void> => {
    const startMs = runtime.clock.nowMs();
    const content = runtime.random.bytes(runtime.random.uint32() % 40_000);
    book.begin(id, startMs, startMs + patienceMs);
    const body = streamBody(piecesOf(runtime, content));
    const request: HttpRequest = {
      method: 'POST',
      scheme: 'http',
      authority: streamHost,
      path: `/${id}`,
      fields: new Fields(),
      body,
    };
    const call = Call.root(runtime, startMs + patienceMs);
    const alarm = runtime.timers.after(patienceMs, () => call.cancel(tooLate()));
    call.onEnd(() => alarm.cancel());
    try {
      const answer = await perform(way.request, request, call);
      const got = await answer.body.bytes(longestBytes);
      const count = Number(answer.body.trailers?.get('x-count'));
      book.answered(id, Buffer.compare(got, content) === 0 && count === content.byteLength);
    } catch (thrown) {
      book.failed(id, HeddleError.from(thrown));
    }
  };
  const loop = async (): Promise<void> => {
    for (let number = 1; !stopped; number++) {
      await sleep(runtime.timers, runtime.random.float() * 2 * everyMs);
      const sending = one(`${name}-${number}`).finally(() => running.delete(sending));
      running.add(sending);
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopped = true;
      await looping;
      await Promise.all(running);
      await way.drain();
    },
  };
}

function tooLate(): HeddleError {
  return new HeddleError({ code: 'deadline_exceeded', reason: 'TOO_LATE', message: 'the patience is over' });
}

/** Some at once, some after a pause. */
async function* piecesOf(runtime: Runtime, content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < content.byteLength; ) {
    const size = 1 + (runtime.random.uint32() % 20_000);
    yield content.slice(at, at + size);
    at += size;
    if (runtime.random.float() < 0.3) await sleep(runtime.timers, runtime.random.float() * 200);
  }
}
