// The store in a process of its own, since its memory is measured too: a million spans in, then questions.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { decodeTraces, type SpanData, TelemetryStore } from '@heddle/telemetry';
import { openDuckDbHistory } from '@heddle/telemetry/store';
import { requestFrom, spansPerRequest } from '../request.ts';

const total = Number(process.argv[2]);
const dataFolder = mkdtempSync(path.join(tmpdir(), 'heddle-bench-store-'));
const runtime = nodeRuntime({ name: 'bench', dataFolder, logLevel: 'error' });
const history = await openDuckDbHistory({ folder: path.join(dataFolder, 'history'), wallMs: Date.now });
const store = new TelemetryStore({ runtime, history });
await store.start();

const startWallMs = Date.now() - 60_000;
let most = 0;
let insertMs = 0;
for (let first = 0; first < total; first += spansPerRequest * 20) {
  // Made beforehand: it is not ours to make them.
  const requests = Array.from({ length: 20 }, (_, at) =>
    requestFrom(first + at * spansPerRequest, startWallMs + first / 1000),
  );
  const began = performance.now();
  await Promise.all(
    requests.map((bytes) =>
      store.spans(decodeTraces(bytes), { signal: 'traces', encoding: 'protobuf', bytes }),
    ),
  );
  if ((first / spansPerRequest) % 200 === 0) await store.flush();
  insertMs += performance.now() - began;
  most = Math.max(most, process.memoryUsage().rss);
}
const began = performance.now();
await store.flush();
insertMs += performance.now() - began;

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
