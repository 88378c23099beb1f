// What was acknowledged survives SIGKILL, once each: a process that writes is killed, and another looks what is there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeRuntime } from '@heddle/kernel/node';
import { decodeTraces } from '../otlp/decode-traces.ts';
import { encodeTraces } from '../otlp/encode.ts';
import { openDuckDbHistory } from './node/duckdb-history.ts';
import { TelemetryStore } from './telemetry-store.ts';

const role = process.env['HEDDLE_KILL_WRITER'];
const perBatch = 50;

async function open(dataFolder: string): Promise<TelemetryStore> {
  const runtime = nodeRuntime({ name: 'kill', dataFolder, logLevel: 'error' });
  const history = await openDuckDbHistory({ folder: path.join(dataFolder, 'history'), wallMs: Date.now });
  const store = new TelemetryStore({ runtime, history, everyMs: 20 });
  await store.start();
  return store;
}

/** Writes batches as fast as it can, and says which have been acknowledged. */
async function write(folder: string, first: number): Promise<never> {
  const store = await open(folder);
  for (let batch = first; ; batch++) {
    const spans = Array.from({ length: perBatch }, (_, at) => ({
      name: 'work',
      kind: 'internal' as const,
      trace: {
        traceId: 'a'.repeat(32),
        spanId: (batch * perBatch + at + 1).toString(16).padStart(16, '0'),
        sampled: true,
      },
      parentSpanId: undefined,
      startWallMs: Date.now(),
      durationMs: 1,
      error: undefined,
      failed: false,
      attributes: { batch },
    }));
    const bytes = encodeTraces({ 'service.name': 'writer' }, spans);
    await store.spans(decodeTraces(bytes), { signal: 'traces', encoding: 'protobuf', bytes });
    process.stdout.write(`${batch}\n`);
  }
}

if (role !== undefined) await write(role, Number(process.env['HEDDLE_KILL_FIRST']));
else
  test('kill -9 of the writer, again and again: nothing acknowledged is lost, and nothing is there twice', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'heddle-kill-'));
    try {
      const acknowledged = new Set<number>();
      for (let round = 0; round < 3; round++) await untilKilled(folder, acknowledged, 40 + 30 * round);
      const store = await open(folder);
      const spans = await store.trace('a'.repeat(32));
      const found = new Set(spans.map(({ spanId }) => spanId));
      assert.equal(found.size, spans.length, 'a span is there twice');
      const batches = new Map<unknown, number>();
      for (const { attributes } of spans)
        batches.set(attributes['batch'], (batches.get(attributes['batch']) ?? 0) + 1);
      for (const batch of acknowledged) assert.equal(batches.get(batch), perBatch, `batch ${batch}`);
      for (const [batch, count] of batches)
        assert.equal(count, perBatch, `batch ${String(batch)} is there in part`);
      await store.stop();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

/** Kills a writer when it has said so many more batches. */
async function untilKilled(folder: string, acknowledged: Set<number>, more: number): Promise<void> {
  const first = Math.max(-1, ...acknowledged) + 1000;
  const env = { ...process.env, HEDDLE_KILL_WRITER: folder, HEDDLE_KILL_FIRST: String(first) };
  delete (env as Record<string, string | undefined>)['NODE_TEST_CONTEXT'];
  const writer = spawn(process.execPath, ['--conditions=@heddle/source', fileURLToPath(import.meta.url)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let heard = 0;
  writer.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) acknowledged.add(Number(line));
    heard += lines.length;
    if (heard >= more) writer.kill('SIGKILL');
  });
  await once(writer, 'close');
  assert.ok(heard >= more, 'the writer ended by itself');
}
