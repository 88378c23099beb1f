import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { SqlListener, SqlPool } from '@heddle/sql';
import { Wakes } from './wakes.ts';

interface Channel {
  /** Somebody on it. */
  readonly join: (origin: string) => Wakes;
  /** Everything that was sent. */
  readonly sent: string[];
  /** Some may have been missed. */
  readonly breakOff: () => void;
}

/** What PostgreSQL does with `NOTIFY`: everybody hears it, who sent it too. */
function channel(): Channel {
  const listeners = new Set<(payload: string | undefined) => void>();
  const sent: string[] = [];
  const pool = {
    query: async (_: string, [words = []]: readonly (readonly string[])[]) => {
      for (const word of words) {
        sent.push(word);
        for (const listener of listeners) listener(word);
      }
      return [];
    },
  } as unknown as SqlPool;
  const listener: SqlListener = {
    on: (heard) => {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    close: async () => {},
  };
  return {
    join: (origin) => new Wakes(pool, listener, origin),
    sent,
    breakOff: () => {
      for (const heard of listeners) heard(undefined);
    },
  };
}

suite('wake-ups', () => {
  test('each hears of the part once, who told it too', async () => {
    const { join, sent } = channel();
    const [here, there] = [join('a'), join('b')];
    const heard: string[] = [];
    here.on('m orders', (part) => heard.push(`here ${part}`));
    there.on('m orders', (part) => heard.push(`there ${part}`));
    there.on('m others', () => heard.push('other'));
    here.tell('m orders', 3);
    await here.settled();
    assert.deepEqual(heard, ['here 3', 'there 3']);
    assert.equal(sent.length, 1);
  });

  test('a name without a part is one for all parts', async () => {
    const { join } = channel();
    const [here, there] = [join('a'), join('b')];
    const heard: unknown[] = [];
    there.on('g orders billing', (part) => heard.push(part));
    here.tell('g orders billing');
    await here.settled();
    assert.deepEqual(heard, [undefined]);
  });

  test('whatever is told while one is on its way goes together', async () => {
    const { join, sent } = channel();
    const here = join('a');
    for (let at = 0; at < 5; at += 1) here.tell('m orders', at % 2);
    await here.settled();
    assert.deepEqual(sent, ['a 0 m orders', 'a 1 m orders', 'a 0 m orders']);
  });

  test('when some may have been missed, everything wakes', () => {
    const { join, breakOff } = channel();
    const here = join('a');
    const heard: unknown[] = [];
    here.on('m orders', (part) => heard.push(part));
    breakOff();
    assert.deepEqual(heard, [undefined]);
  });

  test('what others say on the channel is nothing', async () => {
    const { join } = channel();
    const here = join('a');
    here.on('m orders', () => assert.fail('woken'));
    const odd = join('somebody else');
    odd.tell('');
    await odd.settled();
  });
});
