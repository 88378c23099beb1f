import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '@heddle/kernel';
import { VirtualTime } from '@heddle/kernel/simulated';
import { Progress } from './progress.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

function recorded(interactive: boolean): { terminal: Terminal; written: () => string } {
  let all = '';
  const out = (text: string): void => {
    all += text;
  };
  return { terminal: { out, err: out, interactive, colours: false, width: 80 }, written: () => all };
}

test('one plain line per step where there is no terminal', async () => {
  const time = new VirtualTime();
  const { terminal, written } = recorded(false);
  const progress = new Progress(terminal, time.clock);
  await time.run(
    progress.step(
      'PostgreSQL',
      () => sleep(time.timers, 1234),
      () => 'done',
    ),
  );
  progress.note('order-1 died');
  await assert.rejects(time.run(progress.step('gateway', () => Promise.reject(new Error('no')))));
  const lines = written().split('\n');
  assert.match(lines[0] ?? '', /^ {2}✔ PostgreSQL +1\.2 s {2}done$/);
  assert.equal(lines[1], '  • order-1 died');
  assert.match(lines[2] ?? '', /^ {2}✘ gateway +0\.0 s$/);
  assert.ok(!written().includes('\u001b') && !written().includes('\r'));
});

test('on a terminal the step at hand is shown and replaced', async () => {
  const time = new VirtualTime();
  const { terminal, written } = recorded(true);
  const progress = new Progress(terminal, time.clock);
  await time.run(
    progress.step('gateway', async () => {
      progress.note('meanwhile');
    }),
  );
  const erase = '\r\u001b[K';
  const expected = `  … gateway${erase}  • meanwhile\n  … gateway${erase}  ✔ gateway`;
  assert.equal(written().slice(0, expected.length), expected);
});

test('a table is aligned, and says when it is empty', () => {
  assert.equal(
    table([
      { name: 'a', n: 10 },
      { name: 'long', n: 2 },
    ]),
    'NAME  N\na     10\nlong  2\n',
  );
  assert.equal(table([]), 'nothing is registered\n');
});
