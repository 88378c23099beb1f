import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { build } from '../apps/console/build.mjs';
import { type TraceColumns, treeOf } from '../apps/console/src/data/trace.ts';
import { layout } from '../apps/console/src/topology/layout.ts';
import type { BenchOptions, BenchOutcome, BenchResult } from './report.ts';

const dist = path.join(import.meta.dirname, '..', 'apps', 'console', 'dist');

/** What the console must keep to: bounds rather than peers. Nothing here needs a browser. */
export async function consoleBench({ quick, only }: BenchOptions): Promise<BenchOutcome> {
  await build();
  const rounds = quick ? 3 : 15;
  const all: Record<string, () => BenchResult> = {
    'initial-load': () =>
      bounded(
        'initial-load',
        'KB',
        initialBytes() / 1000,
        200,
        'compressed JS, CSS and HTML of the first page',
      ),
    'layout-200': () =>
      bounded('layout-200', 'ms', layoutMs(200, 1000, rounds), 100, '200 services, 1,000 edges'),
    'layout-500': () =>
      bounded('layout-500', 'ms', layoutMs(500, 2500, rounds), 400, '500 services, 2,500 edges'),
    'trace-50k': () => bounded('trace-50k', 'ms', traceMs(rounds), 2000, 'the tree of 50,000 spans'),
  };
  const wanted = Object.entries(all).filter(([name]) => only === undefined || name === only);
  return { results: wanted.map(([, run]) => run()), skipped: [] };
}

function bounded(name: string, unit: string, value: number, bound: number, detail: string): BenchResult {
  const goalMet = value <= bound;
  return {
    name,
    subject: 'console',
    unit,
    value,
    peer: 'bound',
    peerValue: bound,
    ratio: bound / value,
    detail,
    goal: `<= ${bound} ${unit}`,
    goalMet,
  };
}

/** What the first page fetches, as it is sent to a browser that takes brotli. */
function initialBytes(): number {
  const page = readFileSync(path.join(dist, 'index.html'), 'utf8');
  const files = new Set(
    [...page.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, name = '']) => name),
  );
  return page.length + [...files].reduce((sum, name) => sum + sizeOf(name), 0);
}

function sizeOf(name: string): number {
  const compressed = statSync(path.join(dist, `${name}.br`), { throwIfNoEntry: false });
  return (compressed ?? statSync(path.join(dist, name))).size;
}

/** A mesh of six tiers, each service calling the next ones; some calls go back. */
function layoutMs(nodes: number, edges: number, rounds: number): number {
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
  return median(rounds, () => layout(names, calls));
}

function traceMs(rounds: number): number {
  const count = 50_000;
  const id = Array.from({ length: count }, (_, at) => `span${at}`);
  const zeros = id.map(() => 0);
  const trace: TraceColumns = {
    traceId: 't',
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
