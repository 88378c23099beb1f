// A real Prometheus scrapes us; its answers and ours to the same questions over the same samples; promtool asks us.
import { setTimeout as delay } from 'node:timers/promises';
import { nodeRuntime } from '@heddle/kernel/node';
import { Labels, MetricRegistry, MetricStore, metricsService, prometheusApi } from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { lastWords, run } from '../../engines/command.ts';
import { isMissing, obtain, type Running } from '../../engines/engine.ts';
import { prometheus } from '../../engines/prometheus.ts';
import { promtool } from '../../engines/promtool.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { queries } from './prometheus-queries.ts';

const backend = 'prometheus';
const goal = 0.99;
const scrapes = 40;

/** Scraping, agreement on 200 queries, and promtool. */
export const prometheusContract: Contract = {
  backend,
  run: async () => {
    const found = await obtain(prometheus);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const target = await startTarget();
    let peer: Running | undefined;
    try {
      peer = await prometheus.start({
        targets: [`127.0.0.1:${target.server.address.port}`],
        interval: '100ms',
      });
      const origin = `http://127.0.0.1:${peer.address.port}`;
      const store = await sameSamples(origin);
      const results = [
        await resultOf(backend, found.version, 'scrapes us', () => isUp(origin)),
        await agreement(found.version, origin, store),
      ];
      return [...results, ...(await promtoolCases(store))];
    } finally {
      await peer?.stop();
      target.stop();
      await target.server.stop();
    }
  },
};

interface Target {
  readonly server: HttpServer;
  stop(): void;
}

/** A program with metrics of all kinds that change all the time. */
async function startTarget(): Promise<Target> {
  const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
  const registry = new MetricRegistry();
  const requests = registry.counter({ name: 'requests_total', help: 'Requests.', labels: ['route', 'code'] });
  const depth = registry.gauge({ name: 'queue_depth', help: 'Waiting.', labels: ['queue'] });
  const seconds = registry.histogram({ name: 'duration_seconds', help: 'Durations.', labels: ['route'] });
  let turn = 0;
  const work = (): void => {
    turn++;
    for (const [at, route] of ['/orders', '/users', '/products'].entries()) {
      requests.series(route, '200').inc(at + 1 + (turn % 3));
      if (turn % (at + 4) === 0) requests.series(route, '500').inc();
      seconds.series(route).observe(((turn * (at + 3)) % 97) / 50);
      depth.series(`q${at}`).set(10 * at + 7 * Math.sin(turn / (at + 3)));
    }
  };
  const timer = setInterval(work, 37);
  const server = await serve(metricsService(registry), { runtime, address: { host: '127.0.0.1', port: 0 } });
  return { server, stop: () => clearInterval(timer) };
}

interface RawSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: string])[];
}

async function ask(
  origin: string,
  path: string,
  parameters: Readonly<Record<string, string>>,
): Promise<unknown> {
  const answer = await fetch(`${origin}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
  const body = (await answer.json()) as { status: string; data: unknown; error?: string };
  if (body.status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${body.error}`);
  return body.data;
}

/** Waits for scrapes, and puts the very samples that Prometheus has into a store of ours. */
async function sameSamples(origin: string): Promise<MetricStore> {
  for (let round = 0; round < 600; round++) {
    const data = (await ask(origin, 'query', { query: 'count_over_time(up[10m])' })) as {
      result: { value: [number, string] }[];
    };
    if (Number(data.result[0]?.value[1] ?? 0) >= scrapes) break;
    await delay(100);
  }
  const store = new MetricStore();
  const { result } = (await ask(origin, 'query', { query: '{job="heddle"}[10m]' })) as {
    result: readonly RawSeries[];
  };
  for (const { metric, values } of result)
    for (const [seconds, value] of values)
      store.add(Labels.of(metric), Math.round(seconds * 1000), Number(value.replace('Inf', 'Infinity')));
  return store;
}

async function isUp(origin: string): Promise<void> {
  const data = (await ask(origin, 'targets', {})) as {
    activeTargets: { health: string; lastError: string }[];
  };
  const [target] = data.activeTargets;
  if (target?.health !== 'up') throw new Error(`the target is ${target?.health}: ${target?.lastError}`);
}

async function agreement(version: string, origin: string, store: MetricStore): Promise<ContractResult> {
  const server = await ourServer(store);
  const ours = `http://127.0.0.1:${server.address.port}`;
  try {
    const newest = newestOf(store);
    const differences: string[] = [];
    const all = queries(newest);
    for (const { path, parameters } of all) {
      const [theirs, own] = await Promise.all([
        answerOf(origin, path, parameters),
        answerOf(ours, path, parameters),
      ]);
      if (!isSame(theirs, own))
        differences.push(`${parameters['query']}: ${theirs.slice(0, 200)} and ${own.slice(0, 200)}`);
    }
    const detail =
      `${all.length - differences.length} of ${all.length} alike ${differences.join('\n').slice(0, 2000)}`.trim();
    const status = 1 - differences.length / all.length >= goal ? 'pass' : 'fail';
    return { backend, version, case: 'agrees on queries', status, detail };
  } finally {
    await server.stop();
  }
}

function newestOf(store: MetricStore): number {
  const times = store
    .select([], 0, Number.MAX_SAFE_INTEGER)
    .map(({ times: all }) => all[all.length - 1] as number);
  return Math.min(...times.filter((time) => time > Math.max(...times) - 1000));
}

function ourServer(store: MetricStore): Promise<HttpServer> {
  const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
  const source = async (): Promise<MetricStore> => store;
  const api = prometheusApi({ sourceFor: source, sourceBetween: source }, runtime.clock);
  return serve(api, { runtime, address: { host: '127.0.0.1', port: 0 } });
}

/** An answer as text that is the same for the same answers: series in order. */
async function answerOf(
  origin: string,
  path: string,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const data = (await ask(origin, path, parameters).catch((error: unknown) => ({
    result: [String(error)],
  }))) as { result: unknown };
  if (!Array.isArray(data.result)) return JSON.stringify(data.result);
  const rows = data.result.map((row: unknown) => {
    if (typeof row !== 'object' || row === null || !('metric' in row)) return JSON.stringify(row);
    const metric = Object.entries(row.metric as object).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify({ ...row, metric });
  });
  // The order within an instant answer is told by nobody, but where it is sorted.
  const sorted = /^sort|^topk|^bottomk/.test(parameters['query'] ?? '') ? rows : rows.toSorted();
  return `[${sorted.join(',')}]`;
}

/** Numbers may differ in the last digits, since sums may be made in another order. */
function isSame(a: string, b: string): boolean {
  if (a === b) return true;
  const number = /"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"/g;
  if (a.replaceAll(number, '#') !== b.replaceAll(number, '#')) return false;
  const [left, right] = [a, b].map((text) =>
    [...text.matchAll(number)].map(([, digits]) => Number(digits)),
  ) as [number[], number[]];
  return left.every(
    (value, at) => Math.abs(value - (right[at] as number)) <= 1e-9 * Math.max(Math.abs(value), 1e-3),
  );
}

async function promtoolCases(store: MetricStore): Promise<readonly ContractResult[]> {
  const found = await obtain(promtool);
  if (isMissing(found)) return skippedWhole(backend, found.missing);
  const server = await ourServer(store);
  const origin = `http://127.0.0.1:${server.address.port}`;
  const says = async (pattern: RegExp, args: readonly string[]): Promise<void> => {
    const ended = await run(found.path, args, { timeoutMs: 30_000 });
    if (ended.code !== 0 || !pattern.test(ended.output)) throw new Error(lastWords(ended.output));
  };
  const time = (newestOf(store) / 1000).toFixed(3);
  const cases: Readonly<Record<string, () => Promise<void>>> = {
    'promtool query instant': () =>
      says(/\{route="\/orders"\} => \d/, [
        'query',
        'instant',
        `--time=${time}`,
        origin,
        'sum by (route) (requests_total)',
      ]),
    'promtool query range': () =>
      says(/=>\n\d+ @\[/, [
        'query',
        'range',
        `--start=${Number(time) - 3}`,
        `--end=${time}`,
        '--step=1s',
        origin,
        'sum(requests_total)',
      ]),
    'promtool query series': () =>
      says(/__name__="requests_total"/, [
        'query',
        'series',
        `--match=requests_total`,
        `--start=${Number(time) - 60}`,
        `--end=${time}`,
        origin,
      ]),
    'promtool query labels': () =>
      says(/\/products/, [
        'query',
        'labels',
        `--start=${Number(time) - 60}`,
        `--end=${time}`,
        origin,
        'route',
      ]),
  };
  try {
    const results: ContractResult[] = [];
    for (const [name, each] of Object.entries(cases))
      results.push(await resultOf(backend, found.version, name, each));
    return results;
  } finally {
    await server.stop();
  }
}
