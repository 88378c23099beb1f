import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSection } from './document.ts';
import type { BenchReport } from './report.ts';

function report(area: string, value: number): BenchReport {
  const result = { name: 'work', subject: 'heddle', unit: 'us', value, peer: 'other', peerValue: 10 };
  return {
    area,
    machine: { node: 'v26', cpu: 'a core', cores: 2, memoryGiB: 4 },
    results: [{ ...result, ratio: 10 / value, goal: 'at least 2x other', goalMet: 10 / value >= 2 }],
    skipped: [{ name: 'work', peer: 'absent', reason: 'not to be had' }],
  };
}

test('a section is added once and then replaced, and the rest is left alone', () => {
  const first = withSection('# Performance\n\nBy hand.\n', report('wire', 4));
  assert.match(first, /By hand\.\n\n<!-- bench wire -->\n## wire\n/);
  assert.match(first, /\| work \| us \| 4\.00 \| other \| 10\.0 \| 2\.50 \|  \| at least 2x other: met \|/);
  assert.match(first, /- work beside absent: not to be had/);
  const both = withSection(first, report('kernel', 1));
  const again = withSection(both, report('wire', 8));
  assert.match(again, /\| 8\.00 \| other \| 10\.0 \| 1\.25 \|  \| at least 2x other: \*\*missed\*\* \|/);
  assert.equal(again.match(/<!-- bench wire -->/g)?.length, 1);
  assert.ok(again.startsWith('# Performance\n\nBy hand.\n'));
  assert.ok(again.includes('## kernel'));
  assert.equal(withSection(again, report('wire', 8)), again);
});
