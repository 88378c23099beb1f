import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';
import { paragraph, wrapped } from './wrapped.ts';

const rows = [
  { id: 'a', address: '10.0.0.1:80', zone: 'z1', weight: 100 },
  { id: 'long-id', address: '[::1]:8080', zone: 'default', weight: 0 },
];

test('columns are as wide as what is in them', () => {
  assert.equal(
    table(rows),
    'ID       ADDRESS      ZONE     WEIGHT\na        10.0.0.1:80  z1       100\nlong-id  [::1]:8080   default  0\n',
  );
  assert.equal(table([]), 'nothing is registered\n');
});

test('where a terminal is narrow, what matters least is left out, and never the rest', () => {
  const droppable = ['zone', 'weight'];
  assert.equal(table(rows, 37, droppable), table(rows));
  assert.match(table(rows, 36, droppable), /^ID +ADDRESS +ZONE\n/);
  assert.match(table(rows, 20, droppable), /^ID +ADDRESS\n/);
});

test('where nothing can be left out, the widest columns go on below themselves', () => {
  const said = [
    { id: 'order', owns: 'Order, OrderItem', n: 7 },
    { id: 'user', owns: 'User', n: 12 },
  ];
  assert.equal(
    table(said, 22),
    'ID     OWNS         N\norder  Order,       7\n       OrderItem\nuser   User         12\n',
  );
  assert.equal(table(said, 30), table(said));
  assert.equal(table(said, 5), table(said, 20), 'no word is cut');
});

test('text is cut between words', () => {
  assert.deepEqual(wrapped('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapped('averylongword a', 5), ['averylongword', 'a']);
  assert.deepEqual(wrapped('', 5), ['']);
});

test('what is said to people is cut between words on a terminal, and left to programs as it is', () => {
  const terminal = (interactive: boolean): Terminal => {
    return { out: () => {}, err: () => {}, interactive, colours: false, width: 34 };
  };
  const text = 'the port 8080 is in use by another program\n  say another one';
  assert.equal(
    paragraph(terminal(true), text, '  '),
    'the port 8080 is in use by\n  another program\n  say another one\n',
  );
  assert.equal(paragraph(terminal(false), text), `${text}\n`);
});
