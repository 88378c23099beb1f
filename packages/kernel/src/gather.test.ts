import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from './error.ts';
import { Gather, type GatherOptions } from './gather.ts';

/** All that needs nothing from outside has happened. */
async function quiet(): Promise<void> {
  for (let step = 0; step < 100; step += 1) await Promise.resolve();
}

/** Answers each batch when it is told to, and remembers them. */
function batches(more: Partial<GatherOptions<string, string>> = {}): {
  readonly gather: Gather<string, string>;
  readonly sent: string[][];
  readonly answer: (answers?: readonly (string | HeddleError)[]) => Promise<void>;
} {
  const sent: string[][] = [];
  const waiting: ((answers: readonly (string | HeddleError)[]) => void)[] = [];
  const gather = new Gather<string, string>({
    most: 100,
    send: (items) => {
      sent.push([...items]);
      return new Promise((resolve) => waiting.push(resolve));
    },
    ...more,
  });
  const answer = async (answers?: readonly (string | HeddleError)[]): Promise<void> => {
    await quiet();
    waiting.shift()?.(answers ?? sent.at(-1)?.map((each) => each.toUpperCase()) ?? []);
    await quiet();
  };
  return { gather, sent, answer };
}

const bad = new HeddleError({ code: 'invalid_argument', reason: 'BAD', message: 'bad' });

test('what comes while a batch is on its way goes together as the next one', async () => {
  const { gather, sent, answer } = batches();
  const answers = ['a', 'b'].map((each) => gather.add(each));
  await answer();
  assert.deepEqual(await Promise.all(answers), ['A', 'B']);
  const first = gather.add('c');
  await quiet();
  const others = ['d', 'e'].map((each) => gather.add(each));
  await answer();
  await answer();
  assert.deepEqual([await first, ...(await Promise.all(others))], ['C', 'D', 'E']);
  assert.deepEqual(sent, [['a', 'b'], ['c'], ['d', 'e']]);
  await gather.settled();
});

test('who was answered and asks again at once is in the next batch', async () => {
  const { gather, sent, answer } = batches();
  const again = async (name: string): Promise<string> => gather.add(`${await gather.add(name)}2`);
  const all = [again('a'), again('b')];
  await quiet();
  all.push(again('c'));
  await answer();
  assert.deepEqual(sent[1], ['c', 'A2', 'B2']);
  await answer();
  await answer();
  await Promise.all(all);
});

test('nothing that is added is forgotten, at whatever step after the last batch', async () => {
  for (let steps = 0; steps < 40; steps += 1) {
    const gather = new Gather<number, number>({ most: 9, send: async (items) => items });
    await gather.add(1);
    for (let step = 0; step < steps; step += 1) await Promise.resolve();
    let answered = 0;
    void gather.add(2).then((answer) => (answered = answer));
    await quiet();
    assert.equal(answered, 2, `added ${steps} steps after an answer`);
  }
});

test('an error among the answers is for one alone, and one of the whole batch for all', async () => {
  const { gather, answer } = batches();
  const [good, refused] = [gather.add('a'), gather.add('b')];
  refused.catch(() => {});
  await answer(['A', bad]);
  assert.equal(await good, 'A');
  await assert.rejects(refused, bad);
  const failing = new Gather<string, string>({ most: 9, send: () => Promise.reject(bad) });
  for (const each of await Promise.allSettled([failing.add('a'), failing.add('b')]))
    assert.equal(each.status, 'rejected');
});

test('what one has brought upon all is sent again, each alone', async () => {
  const send = async (items: readonly string[]): Promise<string[]> => {
    if (items.includes('bad')) throw bad;
    return [...items];
  };
  const gather = new Gather<string, string>({ most: 9, send, alone: (error) => error.reason === 'BAD' });
  const [first, second, third] = await Promise.allSettled(['a', 'bad', 'c'].map((each) => gather.add(each)));
  assert.deepEqual([first?.status, second?.status, third?.status], ['fulfilled', 'rejected', 'fulfilled']);
});

test('items of one key go one after another, and no batch is heavier than it may be', async () => {
  const keyed = batches({ keyOf: (item) => item.slice(0, 1) });
  const all = ['a1', 'a2', 'b1', 'a3'].map((each) => keyed.gather.add(each));
  for (const _ of [1, 2, 3]) await keyed.answer();
  await Promise.all(all);
  assert.deepEqual(keyed.sent, [['a1', 'b1'], ['a2'], ['a3']]);
  const heavy = batches({ most: 5, weigh: (item) => item.length });
  const each = ['aaa', 'bbb', 'c', 'ddddddd'].map((item) => heavy.gather.add(item));
  for (const _ of [1, 2, 3]) await heavy.answer();
  await Promise.all(each);
  assert.deepEqual(heavy.sent, [['aaa'], ['bbb', 'c'], ['ddddddd']]);
});
