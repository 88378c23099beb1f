// Log lines to a real OpenSearch: each arrives once, whatever is killed meanwhile. `HEDDLE_OUTAGE_S=120` keeps the store away
// for two minutes; a few seconds unless told.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import {
  decodeLogs,
  encodeLogs,
  LogShipper,
  type LogShipperOptions,
  MetricRegistry,
} from '@heddle/telemetry';
import { isMissing, obtain, type Running } from '../../engines/engine.ts';
import { openSearch } from '../../engines/opensearch.ts';
import { freePlace } from '../../engines/running.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { until } from './alert-desk.ts';

const backend = 'opensearch';
const outageMs = Number(process.env['HEDDLE_OUTAGE_S'] ?? 4) * 1000;

/** The suite. */
export const openSearchContract: Contract = {
  backend,
  run: async (only = () => true) => {
    const found = await obtain(openSearch);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const folder = mkdtempSync(path.join(tmpdir(), 'heddle-opensearch-'));
    const address = await freePlace();
    const stage: Stage = { folder, store: await openSearch.start({ address, folder }), number: 0 };
    try {
      const results: ContractResult[] = [];
      for (const [name, each] of Object.entries(cases))
        if (only(name)) results.push(await resultOf(backend, found.version, name, () => each(stage)));
      return results;
    } finally {
      await stage.store.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Stage {
  readonly folder: string;
  store: Running;
  /** Of the case: its indexes and its folder are its own. */
  number: number;
}

interface Shipping {
  readonly shipper: LogShipper;
  readonly prefix: string;
  readonly folder: string;
}

async function startShipper(
  stage: Stage,
  given: Partial<LogShipperOptions> = {},
  again?: Shipping,
): Promise<Shipping> {
  const prefix = again?.prefix ?? `microservices-logs-${++stage.number}`;
  const folder = again?.folder ?? path.join(stage.folder, `shipper-${stage.number}`);
  const runtime = nodeRuntime({ name: 'shipper', dataFolder: folder, logLevel: 'error' });
  const quiet = { ...runtime, log: () => {} };
  const { host, port } = stage.store.address;
  const shipper = new LogShipper({
    runtime: quiet,
    url: `http://${host}:${port}`,
    prefix,
    metrics: new MetricRegistry(),
    ...given,
  });
  await shipper.start();
  return { shipper, prefix, folder };
}

/** A request of OTLP with as many lines, each of which says its number. */
function requestOf(first: number, count: number): Uint8Array {
  const lines = Array.from({ length: count }, (_, at) => ({
    timeMs: Date.UTC(2026, 10, 29, 12) + first + at,
    level: at % 10 === 0 ? ('error' as const) : ('info' as const),
    message: `order ${first + at} was placed`,
    attributes: { 'http.route': '/orders', http: `n${first + at}`, attempt: at },
    traceId: (first + at + 1).toString(16).padStart(32, '0'),
    spanId: (first + at + 1).toString(16).padStart(16, '0'),
  }));
  return encodeLogs({ 'service.name': 'order', 'service.instance.id': 'order-1' }, lines);
}

async function take(shipper: LogShipper, request: Uint8Array): Promise<void> {
  await shipper.take(request, decodeLogs(request).items);
}

interface Found {
  readonly hits: {
    readonly total: { readonly value: number };
    readonly hits: readonly { readonly _index: string }[];
  };
}

async function search({ store }: Stage, prefix: string, query: object): Promise<Found> {
  const origin = `http://${store.address.host}:${store.address.port}`;
  await fetch(`${origin}/${prefix}-*/_refresh`, { method: 'POST' });
  const answer = await fetch(`${origin}/${prefix}-*/_search?track_total_hits=true&size=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await answer.json()) as Found;
}

/** So long nothing may come of it: after a long outage there is much to send, and a busy machine is slow. */
const patienceMs = 60_000;

/** Waits for as many lines, as long as it goes on, and makes sure that no more come. */
async function arrived(stage: Stage, { prefix, shipper }: Shipping, count: number): Promise<void> {
  let found = -1;
  let waiting = shipper.waitingBytes;
  let movedMs = performance.now();
  while (found < count || waiting > 0) {
    const answer = await search(stage, prefix, { match_all: {} }).catch(() => undefined);
    const [newFound, newWaiting] = [answer?.hits?.total.value ?? found, shipper.waitingBytes];
    if (newFound !== found || newWaiting !== waiting) movedMs = performance.now();
    [found, waiting] = [newFound, newWaiting];
    if (performance.now() - movedMs > patienceMs)
      throw new Error(`expected ${count} lines, found ${found}; ${waiting} bytes wait`);
    await delay(50);
  }
  if (found !== count) throw new Error(`expected ${count} lines, found ${found}`);
}

const cases: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'lines arrive in the index of their day': async (stage) => {
    const shipping = await startShipper(stage);
    for (let at = 0; at < 10; at++) await take(shipping.shipper, requestOf(at * 300, 300));
    await arrived(stage, shipping, 3000);
    const { hits } = await search(stage, shipping.prefix, { match_all: {} });
    const index = hits.hits[0]?._index;
    if (index !== `${shipping.prefix}-2026.11.29`) throw new Error(`found in ${index}`);
    await shipping.shipper.stop();
  },
  'they are found by text, service, level, trace, time and attribute': async (stage) => {
    const shipping = await startShipper(stage);
    await take(shipping.shipper, requestOf(0, 100));
    await arrived(stage, shipping, 100);
    const noon = Date.UTC(2026, 10, 29, 12);
    const wanted: readonly (readonly [query: object, count: number])[] = [
      [{ match: { message: { query: 'order 42 placed', operator: 'and' } } }, 1],
      [{ term: { service: 'order' } }, 100],
      [{ term: { level: 'error' } }, 10],
      [{ term: { trace_id: (43).toString(16).padStart(32, '0') } }, 1],
      [{ range: { '@timestamp': { lt: new Date(noon + 20).toISOString() } } }, 20],
      [{ term: { 'attributes.http.route': '/orders' } }, 100],
    ];
    for (const [query, count] of wanted) {
      const { hits } = await search(stage, shipping.prefix, query);
      if (hits.total.value !== count)
        throw new Error(`${JSON.stringify(query)}: ${hits.total.value} of ${count}`);
    }
    await shipping.shipper.stop();
  },
  'a request that comes twice is there once': async (stage) => {
    const shipping = await startShipper(stage);
    for (const first of [0, 50, 0, 50, 0]) await take(shipping.shipper, requestOf(first, 50));
    await arrived(stage, shipping, 100);
    await shipping.shipper.stop();
  },
  'the store is killed under load': async (stage) => {
    const shipping = await startShipper(stage);
    let sent = 0;
    const load = async (ms: number): Promise<void> => {
      for (const end = performance.now() + ms; performance.now() < end; await delay(5)) {
        await take(shipping.shipper, requestOf(sent, 20));
        sent += 20;
      }
    };
    await load(1000);
    const { address } = stage.store;
    process.kill(stage.store.pid, 'SIGKILL');
    await load(outageMs);
    const [store] = await Promise.all([openSearch.start({ address, folder: stage.folder }), load(1000)]);
    stage.store = store;
    await load(1000);
    await arrived(stage, shipping, sent);
    await shipping.shipper.stop();
  },
  'a shipper that dies while the store is away leaves its lines to the next': async (stage) => {
    // Nobody listens there.
    const away = await freePlace();
    const first = await startShipper(stage, { url: `http://${away.host}:${away.port}` });
    await take(first.shipper, requestOf(0, 500));
    // Not stopped: what it has acknowledged must be on disk already.
    const second = await startShipper(stage, {}, first);
    await take(second.shipper, requestOf(500, 500));
    await arrived(stage, second, 1000);
    await second.shipper.stop();
    await first.shipper.stop();
  },
  'a full buffer refuses, and nothing that was taken is lost': async (stage) => {
    const { address } = stage.store;
    const away = await freePlace();
    const first = await startShipper(stage, { url: `http://${away.host}:${away.port}`, maxBytes: 200_000 });
    let taken = 0;
    let refused = '';
    while (refused === '' && taken < 100_000) {
      try {
        await take(first.shipper, requestOf(taken, 50));
        taken += 50;
      } catch (thrown) {
        refused = HeddleError.from(thrown).reason;
      }
    }
    if (refused !== 'LOGS_WAIT') throw new Error(`after ${taken} lines: ${refused || 'nothing was refused'}`);
    await first.shipper.stop();
    const second = await startShipper(stage, { url: `http://${address.host}:${address.port}` }, first);
    await arrived(stage, second, taken);
    await second.shipper.stop();
  },
  'what the store refuses for good is put aside, and the rest goes on': async (stage) => {
    const { host, port } = stage.store.address;
    const shipping = await startShipper(stage);
    const made = await fetch(`http://${host}:${port}/${shipping.prefix}-2026.11.29`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mappings: { properties: { message: { type: 'integer' } } } }),
    });
    if (!made.ok) throw new Error(await made.text());
    await take(shipping.shipper, requestOf(0, 10));
    const read = (): string => {
      try {
        return readFileSync(path.join(shipping.folder, 'log-shipping/refused'), 'utf8');
      } catch {
        return '';
      }
    };
    await until(
      () => read().trim().split('\n').length === 10,
      () => `refused: ${read()}`,
    );
    await until(
      () => shipping.shipper.waitingBytes === 0,
      () => 'the rest was to go on',
    );
    await shipping.shipper.stop();
  },
};
