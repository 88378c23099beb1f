// Calls that come at a fixed rate, whatever becomes of them: `load <per second>,<ms>` answers how many were answered well
// within their deadline, as `good <calls>`.
import { create, type DescMethodUnary } from '@bufbuild/protobuf';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport } from '@heddle/rpc';
import { unaryMessage } from '../../wire/payload.ts';
import { announce } from '../../wire/subjects/announce.ts';
import { payload, unary } from '../../wire/subjects/connect-echo.ts';

const deadlineMs = 300;
const tickMs = 5;
const [target = ''] = process.argv.slice(2);
const runtime = nodeRuntime({ name: 'bench', logLevel: 'error' });
const transport = createTransport({ runtime, target, attempts: 1, outliers: false });
const message = create(payload, { body: unaryMessage.subarray(2) });

async function load(perSecond: number, durationMs: number): Promise<number> {
  let good = 0;
  let sent = 0;
  const running: Promise<void>[] = [];
  const startMs = performance.now();
  const call = (): Promise<void> =>
    transport.unary(unary as DescMethodUnary, undefined, deadlineMs, undefined, message).then(
      () => void good++,
      () => {},
    );
  while (performance.now() - startMs < durationMs) {
    for (const due = ((performance.now() - startMs) * perSecond) / 1000; sent < due; sent++)
      running.push(call());
    await new Promise<void>((resolve) => runtime.timers.after(tickMs, resolve));
  }
  await Promise.all(running);
  return good;
}

/** Four callers without a pause: what the server can do when nobody asks too much of it. */
async function closed(durationMs: number): Promise<number> {
  let done = 0;
  const endMs = performance.now() + durationMs;
  const caller = async (): Promise<void> => {
    // What is refused, as while an earlier overload wears off, was not done.
    while (performance.now() < endMs)
      await transport.unary(unary as DescMethodUnary, undefined, 5000, undefined, message).then(
        () => void done++,
        () => {},
      );
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  return done;
}

announce(0, {
  closed: async (durationMs) => `good ${await closed(Number(durationMs))}`,
  load: async (argument) => {
    const [perSecond = 0, durationMs = 0] = argument.split(',').map(Number);
    return `good ${await load(perSecond, durationMs)}`;
  },
});
