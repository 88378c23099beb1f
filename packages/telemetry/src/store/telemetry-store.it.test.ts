import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { nodeRuntime } from '@heddle/kernel/node';
import { decodeTraces } from '../otlp/decode-traces.ts';
import { encodeTraces } from '../otlp/encode.ts';
import { queryInstant } from '../promql/evaluate.ts';
import { parsePromQl } from '../promql/parse.ts';
import { openDuckDbHistory } from './node/duckdb-history.ts';
import { MetricArchive } from './metric-archive.ts';
import { MetricStore } from './metric-store.ts';
import { TelemetryStore } from './telemetry-store.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'heddle-telemetry-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');

function request(
  service: string,
  trace: number,
  spans: readonly (readonly [id: number, parent: number])[],
): Uint8Array {
  const startWallMs = Date.now();
  return encodeTraces(
    { 'service.name': service },
    spans.map(([id, parent]) => ({
      name: `work ${id}`,
      kind: 'server',
      trace: { traceId: hex(trace, 32), spanId: hex(id, 16), sampled: true },
      parentSpanId: parent === 0 ? undefined : hex(parent, 16),
      startWallMs,
      durationMs: id,
      error: undefined,
      failed: id === 3,
      attributes: { 'http.route': '/orders/{orderId}', number: id },
    })),
  );
}

test('what is kept is found by trace, by search and as an edge, out of memory and from disk', async () => {
  const dataFolder = path.join(folder, 'found');
  const runtime = nodeRuntime({ name: 'test', dataFolder });
  const open = async (): Promise<TelemetryStore> => {
    const history = await openDuckDbHistory({ folder: path.join(dataFolder, 'history'), wallMs: Date.now });
    const made = new TelemetryStore({ runtime, history });
    await made.start();
    return made;
  };
  let store = await open();
  const keep = async (bytes: Uint8Array): Promise<void> =>
    store.spans(decodeTraces(bytes), { signal: 'traces', encoding: 'protobuf', bytes });
  await keep(
    request('inventory', 1, [
      [2, 1],
      [3, 1],
    ]),
  );
  await keep(request('order', 1, [[1, 0]]));
  const look = async (): Promise<void> => {
    const all = await store.trace(hex(1, 32));
    assert.deepEqual(all.map(({ spanId }) => spanId).toSorted(), [hex(1, 16), hex(2, 16), hex(3, 16)]);
    assert.deepEqual(all.find(({ failed }) => failed)?.attributes, {
      'http.route': '/orders/{orderId}',
      number: 3,
    });
    const everything = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER, limit: 10 };
    for (const fromUs of [0, Date.now() * 1000 - 60_000_000]) {
      const search = async (query: object): Promise<number[]> =>
        (await store.search({ ...everything, tags: {}, fromUs, ...query })).map(({ spans }) => spans.length);
      assert.deepEqual(await search({ service: 'inventory', tags: { number: '3', error: 'true' } }), [3]);
      assert.deepEqual(await search({ service: 'inventory', minDurationUs: 3500 }), []);
      assert.deepEqual(await search({ operation: 'work 1', maxDurationUs: 1500 }), [3]);
      assert.deepEqual(await search({ operation: 'work 9' }), []);
      assert.deepEqual(await search({ tags: { 'service.name': 'inventory' } }), [3]);
      assert.deepEqual(await search({ tags: { 'service.name': 'nobody' } }), []);
      assert.deepEqual(await search({ tags: { 'http.route': '/orders/{orderId}', number: '1' } }), [3]);
    }
    assert.deepEqual(await store.services(), ['inventory', 'order']);
    assert.deepEqual(await store.operations('inventory'), ['work 2', 'work 3']);
    const edges = await store.edges(0, Number.MAX_SAFE_INTEGER);
    const [edge] = edges;
    assert.deepEqual(
      [edges.length, edge?.client, edge?.server, edge?.calls, edge?.failures, edge?.totalUs],
      [1, 'order', 'inventory', 2, 1, 5000],
    );
  };
  await look();
  await store.stop();
  store = await open();
  await look();
  await store.stop();
});

test('of many traces the newest are found, also when one of them has more spans than are looked at first', async () => {
  const dataFolder = path.join(folder, 'many');
  const runtime = nodeRuntime({ name: 'test', dataFolder });
  const history = await openDuckDbHistory({ folder: path.join(dataFolder, 'history'), wallMs: Date.now });
  const store = new TelemetryStore({ runtime, history, ring: 2 });
  await store.start();
  for (const trace of [1, 2, 3]) {
    const ids = Array.from({ length: trace === 3 ? 900 : 2 }, (_, at) => [trace * 1000 + at, 0] as const);
    const bytes = request('order', trace, ids);
    await store.spans(decodeTraces(bytes), { signal: 'traces', encoding: 'protobuf', bytes });
  }
  const found = await store.search({ fromUs: 0, toUs: Number.MAX_SAFE_INTEGER, limit: 3, tags: {} });
  assert.deepEqual(
    found.map(({ spans }) => spans.length).toSorted((a, b) => a - b),
    [2, 2, 900],
  );
  await store.stop();
});

test('a file with ids as texts, of an earlier version, is read and goes on', async () => {
  const place = path.join(folder, 'earlier');
  await mkdir(place);
  const day = new Date().toISOString().slice(0, 10);
  const instance = await DuckDBInstance.create(path.join(place, `telemetry-${day}.duckdb`));
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE spans (trace_id VARCHAR, span_id VARCHAR, parent_id VARCHAR, service VARCHAR,
    name VARCHAR, kind UTINYINT, start_us BIGINT, duration_us DOUBLE, failed BOOLEAN, attributes VARCHAR,
    resource VARCHAR, rest VARCHAR)`);
  const [traceId, first, second] = [
    'fedcba98765432100123456789abcdef',
    'ffffffffffffffff',
    '00000000000000a1',
  ];
  for (const [id, parent] of [
    [first, ''],
    [second, first],
  ])
    await connection.run(
      `INSERT INTO spans VALUES ($1, $2, $3, 'old', 'work', 2, $4, 5, false, '{}', '{"zone":"a"}', '')`,
      [traceId, id as string, parent as string, BigInt(Date.now() * 1000)],
    );
  connection.closeSync();
  instance.closeSync();
  for (let time = 0; time < 2; time++) {
    const history = await openDuckDbHistory({ folder: place, wallMs: Date.now });
    const query = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER, limit: 3, tags: { zone: 'a' } };
    const [trace] = await history.search(query);
    assert.equal(trace?.traceId, traceId);
    const ids = trace.spans.map(({ spanId, parentSpanId }) => `${spanId} ${parentSpanId}`).toSorted();
    assert.deepEqual(ids, [`${second} ${first}`, `${first} `]);
    assert.equal((await history.trace(traceId)).length, 2);
    assert.deepEqual(await history.trace('no id'), []);
    await history.close();
  }
});

test('metrics outlive the process: what memory no longer has comes from disk', async () => {
  const dataFolder = path.join(folder, 'metrics');
  const runtime = nodeRuntime({ name: 'test', dataFolder });
  const nowMs = Date.now();
  const hours = 3_600_000;
  const ask = async (archive: MetricArchive, timeMs: number): Promise<unknown> => {
    const expression = parsePromQl('sum by (route) (increase(requests_total[1h]))');
    const range = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
    const answer = queryInstant(await archive.sourceFor(expression, range), expression, range);
    return answer.type === 'vector'
      ? answer.elements.map(({ labels, value }) => [labels.get('route'), Math.round(value as number)])
      : answer;
  };
  for (const round of [1, 2]) {
    const history = await openDuckDbHistory({ folder: path.join(dataFolder, 'history'), wallMs: Date.now });
    const archive = new MetricArchive(runtime, new MetricStore(), history);
    await archive.start();
    if (round === 1)
      for (let timeMs = nowMs - 5 * hours; timeMs <= nowMs; timeMs += 60_000) {
        const labels = { __name__: 'requests_total', route: '/orders' };
        await archive.push([{ labels, timeMs, value: (timeMs - nowMs + 5 * hours) / 1000 }]);
      }
    for (const back of [0, 4])
      assert.deepEqual(await ask(archive, nowMs - back * hours), [['/orders', 3600]], `${round} ${back}`);
    await archive.stop();
    await history.close();
  }
});
