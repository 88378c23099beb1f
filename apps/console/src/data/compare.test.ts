import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparedTraces } from './compare.ts';
import type { TraceColumns } from './trace.ts';

/** Spans as `[parent, service, name, duration, failed]`. */
function trace(spans: readonly (readonly [number, string, string, number, number?])[]): TraceColumns {
  const services = [...new Set(spans.map(([, service]) => service))];
  const names = [...new Set(spans.map(([, , name]) => name))];
  return {
    traceId: 't',
    services,
    names,
    id: spans.map((_, at) => `s${at}`),
    parent: spans.map(([parent]) => (parent < 0 ? '' : `s${parent}`)),
    service: spans.map(([, service]) => services.indexOf(service)),
    name: spans.map(([, , name]) => names.indexOf(name)),
    kind: spans.map(() => 2),
    startUs: spans.map((_, at) => at),
    durationUs: spans.map(([, , , took]) => took),
    failed: spans.map(([, , , , failed = 0]) => failed),
  };
}

test('the same calls are one place, with how often and how long; what one of them lacks is told', () => {
  const good = trace([
    [-1, 'gateway', 'POST /orders', 100],
    [0, 'order', 'place', 90],
    [1, 'payment', 'charge', 20],
    [1, 'shipping', 'ship', 30],
  ]);
  const bad = trace([
    [-1, 'gateway', 'POST /orders', 300],
    [0, 'order', 'place', 290],
    [1, 'payment', 'charge', 90, 1],
    [1, 'payment', 'charge', 95, 1],
    [1, 'payment', 'refund', 5],
  ]);
  const rows = comparedTraces(good, bad).map(({ service, name, depth, a, b }) => [
    service,
    name,
    depth,
    a?.totalUs,
    b?.totalUs,
    b?.count,
    b?.failed,
  ]);
  assert.deepEqual(rows, [
    ['gateway', 'POST /orders', 0, 100, 300, 1, 0],
    ['order', 'place', 1, 90, 290, 1, 0],
    ['payment', 'charge', 2, 20, 185, 2, 2],
    ['shipping', 'ship', 2, 30, undefined, undefined, undefined],
    ['payment', 'refund', 2, undefined, 5, 1, 0],
  ]);
});

test('a trace compared with itself differs nowhere; fifty thousand spans in a chain are no stack overflow', () => {
  const chain = trace(Array.from({ length: 50_000 }, (_, at) => [at - 1, 's', 'n', 1] as const));
  for (const { a, b } of comparedTraces(chain, chain).slice(0, 1000)) assert.deepEqual(a, b);
});
