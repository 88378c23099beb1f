// The lease thread. Started by `leaseThread` with `LeaseThreadData`; speaks the messages of `lease-message.ts`.
import { parentPort, workerData } from 'node:worker_threads';
import type { Log, Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { LeaseStandby } from '../../registry/lease-standby.ts';
import { ClockOffset } from './clock-offset.ts';
import type { FromLeaseThread, LeaseModule, LeaseThreadData, ToLeaseThread } from './lease-message.ts';

const port = parentPort;
if (port === null) throw new Error('lease-worker.ts is a worker thread: it is started by leaseThread()');
const { module, options, maxBlockedMs } = workerData as LeaseThreadData;
const tell = (message: FromLeaseThread): void => port.postMessage(message);

// What this thread printed itself would wait for the main thread all the same.
const log: Log = (level, message, fields = {}) => {
  const plain = Object.entries(fields).map(([key, value]) => [key, plainly(value)]);
  tell({ kind: 'log', level, message, fields: Object.fromEntries(plain) });
};
const runtime: Runtime = { ...nodeRuntime({ name: 'leases' }), log };
const backend = (await import(module)) as LeaseModule<unknown>;
const offset = new ClockOffset();
const cells = new Map<string, BigInt64Array>();
const standby = new LeaseStandby({
  runtime,
  leases: backend.openLeases(runtime, options),
  maxSilenceMs: maxBlockedMs,
  ping: () => tell({ kind: 'ping' }),
  onConfirmed: (lease, atMs) => {
    const cell = cells.get(lease);
    if (cell !== undefined) Atomics.store(cell, 0, BigInt(Math.floor(offset.toTheirs(atMs))));
  },
});

port.on('message', (message: ToLeaseThread) => {
  switch (message.kind) {
    case 'keep': {
      const { lease, cell, nowMs } = message;
      offset.note(nowMs, runtime.clock.nowMs());
      cells.set(lease.lease, new BigInt64Array(cell));
      standby.keep({ ...lease, confirmedAtMs: offset.toOurs(lease.confirmedAtMs) });
      return;
    }
    case 'drop':
      standby.drop(message.service, message.id);
      return;
    case 'alive':
      offset.note(message.nowMs, runtime.clock.nowMs());
      standby.heard();
      return;
  }
});
// What came while this thread was starting has waited, and says little about the clocks.
tell({ kind: 'ping' });

function plainly(value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
