import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { build } from '../../apps/console/build.mjs';
import { type TraceColumns, treeOf } from '../../apps/console/src/data/trace.ts';
import { layout, type LayoutEdge } from '../../apps/console/src/topology/layout.ts';
import { chromium } from '../../scripts/engines/chromium.ts';
import { isMissing, obtain } from '../../scripts/engines/engine.ts';
import { browserFigures, type Dataset, type Motion } from './browser.ts';
import type { BenchOptions, BenchOutcome, BenchResult } from '../report.ts';

const dist = path.join(import.meta.dirname, '..', '..', 'apps', 'console', 'dist');

/** What the console must keep to: bounds rather than peers. What a browser measures is skipped where there is none. */
export async function consoleBench({ quick, only }: BenchOptions): Promise<BenchOutcome> {
  await build();
  const rounds = quick ? 3 : 15;
  const all: Record<string, () => BenchResult> = {
    'initial-load': () =>
      atMost(
        'initial-load',
        'KB',
        initialBytes('.br') / 1000,
        200,
        'JS, CSS and HTML of the first page, brotli',
      ),
    'initial-load-gzip': () =>
      atMost('initial-load-gzip', 'KB', initialBytes('.gz') / 1000, 200, 'the same, gzip'),
    'layout-200': () =>
      atMost('layout-200', 'ms', layoutMs(200, 1000, rounds), 100, '200 services, 1,000 edges'),
    'layout-500': () =>
      atMost('layout-500', 'ms', layoutMs(500, 2500, rounds), 400, '500 services, 2,500 edges'),
    'trace-50k': () => atMost('trace-50k', 'ms', traceMs(rounds), 2000, 'the tree of 50,000 spans'),
  };
  const wanted = Object.entries(all).filter(([name]) => only === undefined || name === only);
  const results = wanted.map(([, run]) => run());
  if (only !== undefined && !inBrowser.includes(only.replace(/-(cpu|busy)$/, '')))
    return { results, skipped: [] };
  const found = await obtain(chromium);
  if (isMissing(found))
    return { results, skipped: inBrowser.map((name) => ({ name, peer: 'bound', reason: found.missing })) };
  const measured = await browserResults(found.path, quick ? 1 : 5);
  results.push(...measured.filter(({ name }) => only === undefined || name.startsWith(only)));
  return { results, skipped: [] };
}

const inBrowser = [
  'first-paint',
  'trace-open-50k',
  'pan-200',
  'trace-scroll-50k',
  'table-scroll-50k',
  'nodes-moved',
];

async function browserResults(executablePath: string, rounds: number): Promise<readonly BenchResult[]> {
  const figures = await browserFigures(
    executablePath,
    dataset(2),
    { '/api/events': () => overview(2500) },
    rounds,
  );
  return [
    atMost(
      'first-paint',
      'ms',
      figures.firstPaintMs,
      1000,
      'from the request to the overview, an empty cache',
    ),
    atMost(
      'first-paint-busy',
      'ms',
      figures.firstPaintBusyMs,
      1000,
      'how long the page’s own thread works for it',
    ),
    atMost(
      'trace-open-50k',
      'ms',
      figures.traceOpenMs,
      2000,
      'from the request to the lines of 50,000 spans',
    ),
    ...moved('pan-200', figures.pan, '200 services, 1,000 edges dragged without a GPU'),
    ...moved('trace-scroll-50k', figures.traceScroll, '50,000 spans'),
    ...moved('table-scroll-50k', figures.tableScroll, '50,000 instances'),
    { ...atMost('nodes-moved', 'nodes', figures.nodesMoved, 0, 'of 200 after three refreshes'), ratio: 1 },
  ];
}

/** Answers of a control plane with 200 services that call each other, and a trace of 50,000 spans. */
function dataset(instancesEach: number): Dataset {
  const { calls } = mesh(200, 1000);
  const edges = calls.map(({ from, to }, at) => {
    return {
      client: from,
      server: to,
      calls: 100 + at,
      perSecond: 1 + at / 10,
      errorShare: at % 50 === 0 ? 0.1 : 0,
      p50Ms: 1,
      p95Ms: 3,
      p99Ms: 9,
    };
  });
  const stages = {
    services: 200,
    instances: 400,
    answering: 400,
    requests: true,
    tracedServices: 200,
    edgesInADay: 1000,
  };
  return {
    '/api/console/session': () => ({
      user: 'bench',
      role: 'viewer',
      csrf: 'x',
      kind: 'local',
      provider: false,
    }),
    '/api/events': () => overview(instancesEach),
    '/api/console/topology': () => ({ fromMs: 0, toMs: 1, edges, stages }),
    '/api/console/traces/': () => trace50k(),
    '/api/console/': () => ({ pages: [] }),
  };
}

/** Twenty services as the overview tells them. */
function overview(instancesEach: number): object {
  const traffic = { perSecond: 12.5, errorShare: 0.01, p50Ms: 3, p95Ms: 9 };
  const history = {
    perSecond: Array.from({ length: 150 }, (_, at) => at % 20),
    errors: Array.from({ length: 150 }, () => 0),
  };
  const instance = (id: string): object => {
    return {
      id,
      state: 'running',
      health: 'passing',
      zone: 'a',
      version: 'v1',
      protocol: 'http',
      address: '10.0.0.1:80',
      heartbeatAgeMs: 900,
      metrics: 'read',
      traffic,
      inFlight: 1,
      cpuCores: 0.1,
      residentBytes: 1e8,
    };
  };
  const services = mesh(20, 0).names.map((name) => {
    return {
      name,
      traffic,
      history,
      instances: Array.from({ length: instancesEach }, (_, at) => instance(`${name}-${at}`)),
    };
  });
  return { timeMs: 0, everyMs: 2000, attention: [], services };
}

/** Frames a second, and what one costs: on a machine that does other things too, the cost alone can be compared. */
function moved(name: string, { fps, cpuMs }: Motion, detail: string): readonly BenchResult[] {
  return [
    atLeast(name, 'fps', fps, 30, detail),
    atMost(`${name}-cpu`, 'ms/frame', cpuMs, 30, `${detail}; all processes of the browser together`),
  ];
}

function atMost(name: string, unit: string, value: number, bound: number, detail: string): BenchResult {
  const judged = { ratio: bound / value, goal: `<= ${bound} ${unit}`, goalMet: value <= bound };
  return { ...measured(name, unit, value, bound, detail), ...judged };
}

function atLeast(name: string, unit: string, value: number, bound: number, detail: string): BenchResult {
  const judged = { ratio: value / bound, goal: `>= ${bound} ${unit}`, goalMet: value >= bound };
  return { ...measured(name, unit, value, bound, detail), ...judged };
}

function measured(
  name: string,
  unit: string,
  value: number,
  bound: number,
  detail: string,
): Omit<BenchResult, 'ratio'> {
  return { name, subject: 'console', unit, value, peer: 'bound', peerValue: bound, detail };
}

/** What the first page fetches, as it is sent to a browser that takes a coding. */
function initialBytes(coding: '.br' | '.gz'): number {
  const page = readFileSync(path.join(dist, 'index.html'), 'utf8');
  const files = new Set(
    [...page.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, name = '']) => name),
  );
  return page.length + [...files].reduce((sum, name) => sum + sizeOf(name, coding), 0);
}

function sizeOf(name: string, coding: string): number {
  const compressed = statSync(path.join(dist, name + coding), { throwIfNoEntry: false });
  return (compressed ?? statSync(path.join(dist, name))).size;
}

/** A mesh of six tiers, each service calling the next ones; some calls go back. */
function mesh(nodes: number, edges: number): { readonly names: string[]; readonly calls: LayoutEdge[] } {
  const names = Array.from({ length: nodes }, (_, at) => `s${at}`);
  let state = 1;
  const chance = (most: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state % most;
  };
  const tier = Math.ceil(nodes / 6);
  const calls = Array.from({ length: edges }, () => {
    const from = chance(nodes);
    const to = Math.min(
      nodes - 1,
      Math.max(0, from + tier - chance(tier) + (chance(20) === 0 ? -2 * tier : 0)),
    );
    return { from: names[from] as string, to: names[to] as string };
  });
  return { names, calls };
}

function layoutMs(nodes: number, edges: number, rounds: number): number {
  const { names, calls } = mesh(nodes, edges);
  return median(rounds, () => layout(names, calls));
}

function trace50k(): TraceColumns {
  const count = 50_000;
  const id = Array.from({ length: count }, (_, at) => `span${at}`);
  const zeros = id.map(() => 0);
  return {
    traceId: 'abc',
    services: ['a'],
    names: ['n'],
    id,
    parent: id.map((_, at) => (at === 0 ? '' : `span${Math.floor(at / 4)}`)),
    service: zeros,
    name: zeros,
    kind: zeros,
    startUs: id.map((_, at) => at),
    durationUs: id.map((_, at) => count - at),
    failed: zeros,
  };
}

function traceMs(rounds: number): number {
  const trace = trace50k();
  return median(rounds, () => treeOf(trace));
}

function median(rounds: number, work: () => unknown): number {
  const taken = Array.from({ length: rounds }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  return taken.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}
