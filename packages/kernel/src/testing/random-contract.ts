import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Random } from '../ports/random.ts';

const draws = 20_000;

/** What a source of chance must do. The bounds are six standard deviations and more: a good one does not fail. */
export function randomContract(name: string, make: () => Random): void {
  describe(`random: ${name}`, () => {
    test('float is uniform in [0, 1)', () => {
      const random = make();
      const tenths = Array.from({ length: 10 }, () => 0);
      for (let draw = 0; draw < draws; draw++) {
        const value = random.float();
        assert.ok(value >= 0 && value < 1);
        const tenth = Math.floor(value * 10);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      for (const count of tenths) assert.ok(Math.abs(count - draws / 10) < 300, String(tenths));
    });

    test('uint32 is a whole number in [0, 2^32), with every bit set half of the time', () => {
      const random = make();
      const set = Array.from({ length: 32 }, () => 0);
      for (let draw = 0; draw < draws; draw++) {
        const value = random.uint32();
        assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32);
        for (let bit = 0; bit < 32; bit++) set[bit] = (set[bit] ?? 0) + ((value >>> bit) & 1);
      }
      for (const count of set) assert.ok(Math.abs(count - draws / 2) < 500, String(set));
    });

    test('uuid is of version 4, lower case, and does not repeat', () => {
      const random = make();
      const seen = new Set<string>();
      for (let draw = 0; draw < 2000; draw++) {
        const uuid = random.uuid();
        assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        seen.add(uuid);
      }
      assert.equal(seen.size, 2000);
    });

    test('bytes gives as many as asked, in memory of its own', () => {
      const random = make();
      assert.equal(random.bytes(0).byteLength, 0);
      const [one, two] = [random.bytes(33), random.bytes(33)];
      assert.equal(one.byteLength, 33);
      assert.notDeepEqual(one, two);
      const before = two.slice();
      one.fill(0);
      assert.deepEqual(two, before);
    });
  });
}
