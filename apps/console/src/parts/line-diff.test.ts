import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineDiff } from './line-diff.ts';

const texts = fc
  .array(fc.constantFrom('a', 'b', 'c', '', 'd d'), { maxLength: 30 })
  .map((lines) => lines.map((line) => `${line}\n`).join(''));

test('what is removed and what is the same is the one text, what is added and what is the same the other', () => {
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const lines = lineDiff(before, after);
      const changed = (is: string): string[] =>
        lines.flatMap((line) => (line.is === is && 'text' in line ? [line.text] : []));
      const passed = lines.reduce((sum, line) => sum + (line.is === 'passed' ? line.count : 0), 0);
      const same = changed('same').length + passed;
      assert.equal(same + changed('removed').length, before.split('\n').length - 1);
      assert.equal(same + changed('added').length, after.split('\n').length - 1);
      if (before === after) assert.deepEqual([...changed('removed'), ...changed('added')], []);
    }),
  );
});

test('of ten thousand lines with one change, the change is shown, with its numbers and what is around it', () => {
  const before = Array.from({ length: 10_000 }, (_, at) => `line ${at + 1}`);
  const after = before.with(4999, 'line five thousand');
  const lines = lineDiff(before.join('\n'), after.join('\n'));
  assert.equal(lines.length, 10);
  assert.deepEqual(lines[0], { is: 'passed', count: 4996, before: 1, after: 1 });
  assert.deepEqual(lines[4], { is: 'removed', text: 'line 5000', before: 5000, after: 4999 });
  assert.deepEqual(lines[5], { is: 'added', text: 'line five thousand', before: 5000, after: 5000 });
});
