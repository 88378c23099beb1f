import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReport } from './connect-conformance.ts';

const side = { what: 'server', known: { 'A/**/b': 'since it is so' } };

test('a report is one result, and one for each case that failed or is known to', () => {
  const output =
    'FAILED: Errors/HTTPVersion:1/unary/x:\n\tactual a\n\texpected b\nINFO: A/c/b failed (as expected):\n\tno\n\n' +
    'Total cases: 10\n8 passed, 1 failed\n(Another 1 failed as expected due to being known failures/flakes.)\n';
  assert.deepEqual(
    readReport(output, '1', side).map(({ case: name, status, detail }) => [name, status, detail]),
    [
      ['server', 'fail', '8 of 10 cases passed'],
      ['server: Errors/HTTPVersion:1/unary/x', 'fail', 'actual a expected b'],
      ['server: A/**/b', 'unsupported', 'since it is so'],
    ],
  );
});

test('a case that should fail and does not is a failure too', () => {
  const output = 'FAILED: A/c/b was expected to fail but did not\n\nTotal cases: 10\n9 passed, 1 failed\n';
  const [all, first] = readReport(output, '1', side);
  assert.deepEqual([all?.status, first?.case], ['fail', 'server: A/c/b was expected to fail but did not']);
});

test('a report without an end is no report', () => {
  assert.throws(() => readReport('panic: oh\n', '1', side), /panic: oh/);
});
