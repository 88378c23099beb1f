import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Joined, shareOut } from './share-out.ts';

const member = (id: string, ...owned: number[]): Joined => ({ id, owned });

test('the first member has all, and gives half to the second when it has given that back', () => {
  assert.deepEqual(shareOut([member('a')], 4), new Map([['a', { owned: [0, 1, 2, 3], surplus: [] }]]));
  const asked = shareOut([member('a', 0, 1, 2, 3), member('b')], 4);
  assert.deepEqual(asked.get('a'), { owned: [0, 1, 2, 3], surplus: [2, 3] });
  assert.deepEqual(asked.get('b'), { owned: [], surplus: [] });
  const given = shareOut([member('a', 0, 1), member('b')], 4);
  assert.deepEqual(given.get('b'), { owned: [2, 3], surplus: [] });
});

test('whatever they had, nobody has what another has, and after two rounds all is shared evenly', () => {
  const partitions = 12;
  const history = fc.array(fc.integer({ min: -1, max: 4 }), { minLength: partitions, maxLength: partitions });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), history, (count, owners) => {
      let members = Array.from({ length: count }, (_, at) =>
        member(`m${at}`, ...owners.flatMap((owner, partition) => (owner === at ? [partition] : []))),
      );
      for (let round = 0; round < 2; round += 1) {
        const shares = shareOut(members, partitions);
        const all = [...shares.values()].flatMap(({ owned }) => owned);
        assert.equal(new Set(all).size, all.length, 'one owner each');
        members = members.map(({ id }) => {
          const { owned, surplus } = shares.get(id) ?? assert.fail();
          return member(id, ...owned.filter((partition) => !surplus.includes(partition)));
        });
      }
      const counts = members.map(({ owned }) => owned.length);
      assert.equal(
        counts.reduce((sum, each) => sum + each, 0),
        partitions,
      );
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
    }),
  );
});
