// The glossary has every word that a page of docs/ cannot be read without, in English and in Chinese, once each and in order.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './files.ts';

/** By page, what a reader has to know to understand it. */
const keyTerms: Readonly<Record<string, readonly string[]>> = {
  api: ['contract', 'breaking change', 'quarantine', 'mock', 'quota'],
  balancing: ['balancer', 'picker', 'policy', 'weight', 'slow start', 'panic', 'consistent hash', 'locality'],
  boundaries: ['boundary', 'capability', 'coupling', 'drift', 'modularity'],
  config: ['config centre', 'place', 'layer (of values)', 'gray release', 'watch'],
  console: ['console', 'role', 'audit log', 'foreign page'],
  discovery: ['registry', 'instance', 'lease', 'watch', 'heartbeat', 'health check', 'self-preservation'],
  'event-store': ['event store', 'event stream', 'subscription', 'projection', 'decider'],
  explain: ['decision record', 'trace', 'layer', 'attempt'],
  gateway: ['gateway', 'route', 'upstream', 'rate limit', 'identity', 'transcoding', 'mirror', 'login'],
  'grpc-js': ['target', 'balancer', 'discovery'],
  mesh: ['service mesh', 'control plane', 'data plane', 'sidecar', 'xDS', 'SVID', 'principal', 'rehearsal'],
  messaging: ['topic', 'consumer group', 'dead letter', 'outbox', 'inbox', 'effectively once'],
  migrating: ['registry', 'gateway', 'saga'],
  observability: ['trace', 'span', 'metric', 'log', 'scrape', 'exemplar', 'alert', 'silence'],
  performance: ['call', 'deadline', 'data plane'],
  repositories: ['repository', 'optimistic version'],
  resilience: [
    'retry',
    'retry budget',
    'backoff',
    'hedge',
    'breaker',
    'bulkhead',
    'load shedding',
    'fallback',
    'failover',
  ],
  rpc: ['call', 'deadline', 'context', 'stack', 'streaming', 'drain', 'reflection'],
  sagas: ['saga', 'step', 'compensation', 'pivot', 'barrier', 'idempotent'],
  security: ['role', 'identity', 'password hash', 'certificate authority'],
  'services-and-layers': ['service', 'layer', 'call', 'end'],
  shop: ['fault', 'instance', 'saga'],
  simulation: ['simulation', 'seed', 'fault', 'virtual time'],
  sql: ['migration', 'transaction'],
  synchroniser: ['synchroniser', 'change capture', 'replication slot', 'dead letter'],
  testing: ['virtual time', 'simulation', 'instance'],
  transactions: [
    'TCC',
    'two-phase commit',
    'participant',
    'in doubt',
    'reliable message',
    'best-effort notification',
  ],
  tutorial: ['service', 'saga', 'instance'],
  up: ['control plane', 'gateway', 'drain'],
  wire: ['wire', 'listener', 'body', 'fields', 'misdirected request'],
};

interface Row {
  readonly term: string;
  readonly chinese: string;
  readonly meaning: string;
}

const rows = readFileSync(path.join(root, 'GLOSSARY.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| (?!term \|)/.test(line))
  .map((line): Row => {
    const [, term = '', chinese = '', meaning = ''] = line.split('|').map((cell) => cell.trim());
    return { term, chinese, meaning };
  });
/** `inbox, outbox` is two terms of one row; `policy (of a proxy)` is looked for with its bracket and without. */
const terms = new Set(
  rows
    .flatMap(({ term }) => [term, ...term.split(', '), term.replace(/ \(.*\)$/, '')])
    .map((term) => term.toLowerCase()),
);

test('every page has its terms in the glossary', () => {
  const pages = readdirSync(path.join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => file.replace('.md', ''));
  assert.deepEqual(Object.keys(keyTerms), pages.toSorted());
  const missing = Object.entries(keyTerms).flatMap(([page, needed]) =>
    needed.filter((term) => !terms.has(term.toLowerCase())).map((term) => `${page}: ${term}`),
  );
  assert.deepEqual(missing, []);
});

test('every term has a Chinese one and a meaning, once, by the alphabet', () => {
  for (const { term, chinese, meaning } of rows) {
    assert.match(chinese, /\p{Script=Han}/u, term);
    assert.match(meaning, /^\S.{9,}[^.]$/u, term);
  }
  const order = rows.map(({ term }) => term.toLowerCase().replaceAll(/[^a-z0-9 ,()-]/g, ''));
  assert.deepEqual(order, [...new Set(order)].toSorted());
});
