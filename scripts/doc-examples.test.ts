import assert from 'node:assert/strict';
import { test } from 'node:test';
import { docExamples } from './doc-examples.ts';

const page = [
  '# A page',
  '',
  '```ts run',
  "console.log('hello');",
  '```',
  '',
  '```text output',
  'hello',
  '```',
];

test('finds a runnable example and what it promises to print', () => {
  assert.deepEqual(docExamples(page.join('\n')), [
    { line: 3, code: "console.log('hello');\n", output: 'hello\n' },
  ]);
});

test('leaves blocks that are not marked alone, and needs no promise', () => {
  const found = docExamples(
    ['```ts', 'no', '```', '```ts run', 'yes', '```', 'text', '```text', 'x', '```'].join('\n'),
  );
  assert.deepEqual(found, [{ line: 4, code: 'yes\n', output: undefined }]);
});

test('says which fence does not close', () => {
  assert.throws(() => docExamples('\n```ts run\nfoo'), /line 2/);
});
