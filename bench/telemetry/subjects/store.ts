// The store in a process of its own, since its memory is measured too: a million spans in, then questions.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { decodeTraces, type SpanData, TelemetryStore } from '@heddle/telemetry';
import { openDuckDbHistory } from '@heddle/telemetry/store';
import { spansPerRequest } from '../request.ts';

const total = Number(process.argv[2]);
const dataFolder = mkdtempSync(path.join(tmpdir(), 'heddle-bench-store-'));
const runtime = nodeRuntime({ name: 'bench', dataFolder, logLevel: 'error' });
const history = await openDuckDbHistory({ folder: path.join(dataFolder, 'history'), wallMs: Date.now });
const store = new TelemetryStore({ runtime, history });
await store.start();

// As a sender does that is told to come again.
async function keep(bytes: Uint8Array): Promise<void> {
  try {
    await store.spans(decodeTraces(bytes), { signal: 'traces', encoding: 'protobuf', bytes });
  } catch (thrown) {
    if ((thrown as HeddleError).reason !== 'STORE_BEHIND') throw thrown;
    await store.flush();
    await keep(bytes);
  }
}

const file = path.join(dataFolder, 'requests');
const maker = path.join(import.meta.dirname, 'store-requests.ts');
const made = ['--conditions=@heddle/source', maker, file, String(total), String(Date.now() - 60_000)];
execFileSync(process.execPath, made);
const requests = openSync(file, 'r');

function next(): Uint8Array {
  const head = Buffer.alloc(4);
  readSync(requests, head);
  const bytes = new Uint8Array(head.readUInt32BE());
  readSync(requests, bytes);
  return bytes;
}

let most = 0;
let insertMs = 0;
for (let first = 0; first < total; first += spansPerRequest * 20) {
  const batch = Array.from({ length: 20 }, next);
  const began = performance.now();
  await Promise.all(batch.map(keep));
  insertMs += performance.now() - began;
  most = Math.max(most, process.memoryUsage().rss);
}
const began = performance.now();
await store.flush();
insertMs += performance.now() - began;
closeSync(requests);

async function median(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 9; turn++) {
    const from = performance.now();
    await ask();
    times.push(performance.now() - from);
    most = Math.max(most, process.memoryUsage().rss);
  }
  return times.toSorted((a, b) => a - b)[4] as number;
}

const everything = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER, tags: {}, limit: 20 };
const edgesMs = await median(() => store.edges(0, Number.MAX_SAFE_INTEGER));
const searchMs = await median(() =>
  store.search({ ...everything, service: 'service-7', minDurationUs: 90_000 }),
);
const tagMs = await median(() =>
  store.search({ ...everything, tags: { 'heddle.correlation_id': 'request-7' } }),
);
const traceMs = await median(() => store.trace('1000'.padStart(32, '0')));
const found: readonly SpanData[] = await store.trace('1000'.padStart(32, '0'));
if (found.length !== 16) throw new Error(`a trace of 16 spans has ${found.length}`);
await store.stop();
rmSync(dataFolder, { recursive: true, force: true });
const perSecond = (total / insertMs) * 1000;
process.stdout.write(
  `${JSON.stringify({ perSecond, edgesMs, searchMs, tagMs, traceMs, mostMiB: most / 1_048_576 })}\n`,
);
process.exit(0);
