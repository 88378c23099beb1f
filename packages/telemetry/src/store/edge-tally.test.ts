import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpanData } from '../otlp/signal.ts';
import { EdgeTally } from './edge-tally.ts';

function span(service: string, spanId: string, parentSpanId: string, kind: number): SpanData {
  const resource = { service, attributes: {} };
  const times = { startUs: 60_000_000, durationUs: 5000 };
  const rest = { failed: false, statusMessage: '', attributes: {}, events: [], links: [], scope: '' };
  return { traceId: 't', spanId, parentSpanId, name: 'n', kind, resource, ...times, ...rest };
}

const edges = (tally: EdgeTally): string[] =>
  tally.take().map(({ client, server, calls }) => `${client} > ${server} ${calls}`);

test('a call is counted whichever of its two spans comes first', () => {
  const tally = new EdgeTally();
  tally.add(span('order', 'a', '', 3));
  tally.add(span('payment', 'b', 'a', 2));
  tally.add(span('shipping', 'd', 'c', 2));
  tally.add(span('order', 'c', '', 3));
  assert.deepEqual(edges(tally), ['order > payment 1', 'order > shipping 1']);
  assert.deepEqual(edges(tally), []);
});

test('of many spans the newest are remembered, at least half of the limit, and the oldest are not', () => {
  for (const [back, counted] of [
    [1, 1],
    [50, 1],
    [101, 0],
    [1000, 0],
  ] as const) {
    const tally = new EdgeTally(100);
    for (let at = 0; at < 1000; at++) tally.add(span('order', `p${at}`, '', 3));
    tally.add(span('payment', 'c', `p${1000 - back}`, 2));
    assert.equal(edges(tally).length, counted, `${back} spans ago`);
  }
});
