// What `npm test` counts: skipped is never passed, and a crash is never zero failures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedSuites, parseContracts } from './contract-step.ts';
import { failedFiles, parseTap } from './node-tests.ts';
import { nothing, runSteps, type Step, sum } from './steps.ts';

test('TAP: counts, and names what was skipped with its reason', () => {
  const tap = [
    'TAP version 13',
    '    ok 1 - frames',
    '    ok 2 - talks to Consul # SKIP no Consul here',
    '    not ok 3 - reads a frame',
    '      ---',
    "      location: '/a/b.it.test.ts:3:1'",
    '      error: |-',
    '        Expected values to be equal:',
    '        1 !== 2',
    "      code: 'ERR_ASSERTION'",
    '      ...',
    '    not ok 4 - writes a frame',
    '      ---',
    "      error: 'it is short'",
    "      code: 'ERR_TEST'",
    '      ...',
    'not ok 1 - frames and all',
    'not ok 4 - later # TODO',
    '# pass 1',
    '# fail 2',
    '# cancelled 3',
  ].join('\n');
  assert.deepEqual(parseTap(tap), {
    passed: 1,
    failed: 5,
    failures: ['reads a frame (Expected values to be equal: 1 !== 2)', "writes a frame ('it is short')"],
    skipped: ['talks to Consul: no Consul here', 'later'],
    unsteady: [],
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
    unsteady: [],
  });
});

test('sums add up', () => {
  const one = { passed: 1, failed: 2, failures: ['b'], skipped: ['a'], unsteady: ['c'] };
  const twice = { passed: 2, failed: 4, failures: ['b', 'b'], skipped: ['a', 'a'], unsteady: ['c', 'c'] };
  assert.deepEqual(sum([one, one]), twice);
});

const exits = (name: string, code: number, again?: readonly Step[]): Step => ({
  name,
  command: process.execPath,
  args: ['--eval', `process.exit(${code})`],
  ...(again !== undefined && { again: () => again }),
});

test('what fails and then passes alone is passed and unsteady; what fails twice has failed', async () => {
  const unsteady = await runSteps([exits('one', 1, [exits('one, again', 0)])], 1);
  assert.deepEqual(unsteady, { ...nothing, passed: 1, unsteady: ['one (see its output)'] });
  const skipping: Step = {
    ...exits('left out', 0),
    tally: () => ({ ...nothing, passed: 1, skipped: ['an engine that is gone'] }),
  };
  const leftOut = await runSteps([exits('three', 1, [skipping])], 1);
  assert.deepEqual(leftOut, { ...nothing, failed: 1, failures: ['three (see its output)'] });
  const broken = await runSteps([exits('two', 1, [exits('two, again', 1)])], 1);
  assert.deepEqual(broken, {
    ...nothing,
    failed: 1,
    failures: ['two, again (see its output)', 'passed alone: two (see its output)'],
  });
});

test('the files that run again are those of the tests that failed; none when one cannot be told', () => {
  const failure = (place: string): string =>
    `not ok 1 - it works\n  ---\n  duration_ms: 3\n  location: '${place}'\n  ...\n`;
  const fine = "ok 2 - it does not\n  ---\n  location: '/a/c.it.test.ts:3:1'\n  ...\n";
  const tap = failure('/a/b.it.test.ts:17:1') + fine + failure('/a/b.it.test.ts:40:1');
  assert.deepEqual(failedFiles(tap, ['/a/b.it.test.ts', '/a/c.it.test.ts']), ['/a/b.it.test.ts']);
  assert.deepEqual(failedFiles(tap, ['/a/c.it.test.ts']), []);
  assert.deepEqual(failedFiles(`${tap}not ok 3 - it fell over\n`, ['/a/b.it.test.ts']), []);
});

test('the suites that run again are those with a failure', () => {
  const result = (backend: string, status: string): object => ({ backend, version: '', case: 'x', status });
  const results = [
    result('etcd', 'pass'),
    result('consul', 'fail'),
    result('consul', 'fail'),
    result('zk', 'skipped'),
  ];
  assert.deepEqual(failedSuites(JSON.stringify({ area: 'config', results })), [
    { area: 'config', backend: 'consul' },
  ]);
});
