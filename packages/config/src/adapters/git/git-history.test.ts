import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentText, readDocument } from './config-document.ts';
import { readBatch, readLog } from './git-history.ts';

test('what git log says becomes commits with the file that they left', () => {
  const zero = '0'.repeat(40);
  const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
  const text =
    `\u001e${a}\0Ada <x>\0${1_700_000_000}\0say why\n\nHeddle-Action: gray\n\0\n\n:000000 100644 ${zero} ${b} A\tprod/shop/order.yaml\n` +
    `\u001e${b}\0\0${1_700_000_060}\0gone\n\0\n\n:100644 000000 ${b} ${zero} D\tprod/shop/order.yaml\n`;
  assert.deepEqual(readLog(text), [
    { id: a, author: 'Ada <x>', atMs: 1_700_000_000_000, message: 'say why\n\nHeddle-Action: gray', blob: b },
    { id: b, author: 'unknown', atMs: 1_700_000_060_000, message: 'gone', blob: undefined },
  ]);
});

test('a batch of blobs is read by their sizes, whatever is in them', () => {
  const bytes = Buffer.from('aa blob 4\nü\nx\nbb blob 0\n\ncc missing\n');
  assert.deepEqual(
    [...readBatch(bytes)],
    [
      ['aa', 'ü\nx'],
      ['bb', ''],
    ],
  );
});

test('a document reads back, and what a person got wrong is said with its line', () => {
  const document = {
    values: { 'pool.max': 5, text: '012', list: [1, { a: null }] },
    gray: { audience: { percent: 5 }, values: { text: 'x' } },
  };
  assert.deepEqual(readDocument(documentText(document), 'f'), document);
  assert.deepEqual(readDocument('', 'f'), { values: {} });
  for (const bad of ['a: 1\na: 2\n', 'a: [1\n', '- a\n', 'a b: 1\n', '$gray: {percent: 5}\n'])
    assert.throws(() => readDocument(bad, 'f.yaml'), { reason: 'BAD_DOCUMENT', message: /^f\.yaml: / }, bad);
  assert.throws(() => readDocument('a: 1\nb: 2\na: 3\n', 'f.yaml'), { message: /line 3/ });
});
