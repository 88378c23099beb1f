// What `npm test` counts: skipped is never passed, and a crash is never zero failures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContracts } from './contract-step.ts';
import { parseTap } from './node-tests.ts';
import { sum } from './steps.ts';

test('TAP: counts, and names what was skipped with its reason', () => {
  const tap = [
    'TAP version 13',
    '    ok 1 - frames',
    '    ok 2 - talks to Consul # SKIP no Consul here',
    '    not ok 3 - reads a frame',
    'not ok 1 - frames and all',
    'not ok 4 - later # TODO',
    '# pass 1',
    '# fail 2',
    '# cancelled 3',
  ].join('\n');
  assert.deepEqual(parseTap(tap), {
    passed: 1,
    failed: 5,
    failures: ['reads a frame'],
    skipped: ['talks to Consul: no Consul here', 'later'],
  });
});

test('contracts: unsupported counts as nothing, skipped as skipped', () => {
  const result = (status: string): object => ({ backend: 'consul', version: '1.22', case: 'lease', status });
  const lines = [
    'engines are starting',
    JSON.stringify({ area: 'discovery', results: ['pass', 'fail', 'unsupported'].map(result) }),
    JSON.stringify({ area: 'messaging', results: ['pass', 'skipped'].map(result) }),
  ].join('\n');
  assert.deepEqual(parseContracts(lines), {
    passed: 2,
    failed: 1,
    failures: ['contracts discovery: consul: lease (no detail)'],
    skipped: ['contracts messaging: consul: lease (not to be had here)'],
  });
});

test('sums add up', () => {
  const one = { passed: 1, failed: 2, failures: ['b'], skipped: ['a'] };
  assert.deepEqual(sum([one, one]), { passed: 2, failed: 4, failures: ['b', 'b'], skipped: ['a', 'a'] });
});
