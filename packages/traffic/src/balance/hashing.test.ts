import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, userId } from '@heddle/kernel';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { hash32, mix32 } from './hash.ts';
import { fromCall, hashBy, hashKey } from './hash-key.ts';
import { Load, LoadGroup } from './load.ts';
import { maglev } from './maglev.ts';
import { type Candidate, noneExcluded, type Picker } from './picker.ts';
import { ringHash } from './ring-hash.ts';

const runtime = bareRuntime(new VirtualTime());
const random = seededRandom(3);
const call = Call.root(runtime);
const schemes: readonly [string, (index: number) => string][] = [
  ['sequential ports', (index) => `order@10.0.0.5:${8000 + index}`],
  ['sequential hosts', (index) => `order@10.1.${index >> 8}.${index & 255}:8080`],
  ['names', (index) => `order-${index}.shop.svc.cluster.local`],
];
const ring = ringHash({ random });
const table = maglev({ random });
const keys = Array.from(
  { length: 10_000 },
  (_, index) => `3f2b8c1e-9d47-4e1a-8b6f-${String(index).padStart(12, '0')}`,
);

const fleet = (count: number, idOf: (index: number) => string): Candidate[] =>
  Array.from({ length: count }, (_, index) => ({ id: idOf(index), weight: 100 }));

function owner(picker: Picker<Candidate>, key: string, excluded = noneExcluded): string {
  return picker.pick(call.set(hashKey, key), excluded)?.id ?? assert.fail();
}

/** Places of the larger table of Maglev. */
const places = 655_373;

/** Who gets each of many hashes, without the luck of keys: evenly spread on the ring, one for each place of a table. */
function owners(make: typeof ringHash, candidates: readonly Candidate[]): string[] {
  const hashes = make === maglev ? places : 1 << 20;
  const step = make === maglev ? 1 : 2 ** 32 / hashes;
  let at = 0;
  const even = { ...random, uint32: () => step * at++ };
  const picker = make({ random: even })(candidates, undefined);
  const unkeyed = Call.root(runtime);
  return Array.from({ length: hashes }, () => picker.pick(unkeyed, noneExcluded)?.id ?? assert.fail());
}

/** Largest share over the mean. */
function peak(make: typeof ringHash, candidates: readonly Candidate[]): number {
  const counts = new Map<string, number>();
  const all = owners(make, candidates);
  for (const id of all) counts.set(id, (counts.get(id) ?? 0) + 1);
  return (Math.max(...counts.values()) * candidates.length) / all.length;
}

for (const [scheme, idOf] of schemes) {
  test(`max over mean share at 100 instances, ${scheme}: ring at most 1.35, Maglev at most 1.02`, () => {
    const found = [peak(ringHash, fleet(100, idOf)), peak(maglev, fleet(100, idOf))];
    assert.ok((found[0] as number) <= 1.35 && (found[1] as number) <= 1.02, found.join(' '));
  });

  test(`ring, ${scheme}: one that leaves or comes moves its own keys and no other, about 1/N of all`, () => {
    for (const count of [3, 10, 100]) {
      const all = fleet(count, idOf);
      const before = ring(all, undefined);
      const homes = keys.map((key) => owner(before, key));
      let moved = 0;
      const tried = all.slice(0, 10);
      for (const leaver of tried) {
        const after = ring(
          all.filter((each) => each !== leaver),
          before,
        );
        const back = ring(all, after);
        for (const [index, key] of keys.entries()) {
          const now = owner(after, key);
          if (now !== homes[index]) moved++;
          assert.equal(now !== homes[index], homes[index] === leaver.id);
          assert.equal(owner(back, key), homes[index]);
        }
      }
      const share = moved / (keys.length * tried.length);
      assert.ok(share <= 1.25 / count, `${share} of the keys for 1 of ${count}`);
    }
  });

  test(`Maglev, ${scheme}: of the keys at most 1.25/N move, up to a hundred instances`, () => {
    for (const count of scheme === 'names' ? [3, 10, 100] : [100]) {
      const all = fleet(count, idOf);
      const before = owners(maglev, all);
      const leavers = [all[count >> 1]];
      let moved = 0;
      for (const leaver of leavers) {
        const after = owners(
          maglev,
          all.filter((each) => each !== leaver),
        );
        moved += after.filter((id, at) => id !== before[at]).length;
      }
      const share = moved / (places * leavers.length);
      assert.ok(share <= 1.25 / count, `${share} of the keys for 1 of ${count}`);
    }
  });
}

test('property: a ring that has been changed step by step equals one made at once', () => {
  const weights = fc.constantFrom(0, 50, 100, 250);
  const sets = fc.uniqueArray(fc.tuple(fc.nat(15), weights), {
    selector: ([id]) => id,
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.array(sets, { minLength: 1, maxLength: 6 }), (updates) => {
      let picker: Picker<Candidate> | undefined;
      for (const update of updates) {
        const candidates = update.map(([id, weight]): Candidate => ({ id: `n${id}`, weight }));
        picker = ring(candidates, picker);
        const fresh = ring(candidates, undefined);
        for (const key of keys.slice(0, 300)) assert.equal(owner(picker, key), owner(fresh, key));
      }
    }),
    { numRuns: 60 },
  );
});

test('weights scale the share, on the ring and in the table', () => {
  for (const [policy, tolerance] of [
    [ring, 0.25],
    [table, 0.1],
  ] as const) {
    const candidates = [50, 100, 300].map((weight) => ({ id: `w${weight}`, weight }));
    const picker = policy(candidates, undefined);
    for (const { id, weight } of candidates) {
      const share = keys.filter((key) => owner(picker, key) === id).length / keys.length;
      assert.ok(Math.abs(share / (weight / 450) - 1) < tolerance, `${id}: ${share}`);
    }
  }
});

test('a tried instance is left for another, the same one for each key', () => {
  for (const policy of [ring, table]) {
    const picker = policy(
      fleet(10, (index) => `n${index}`),
      undefined,
    );
    const seconds = new Set<string>();
    for (const key of keys.slice(0, 500)) {
      const first = owner(picker, key);
      const second = owner(picker, key, [first]);
      assert.notEqual(second, first);
      assert.equal(owner(picker, key, [first]), second);
      seconds.add(second);
    }
    assert.equal(seconds.size, 10, 'the keys of one are spread over all others');
  }
});

test('without a key: a random instance, counted', () => {
  for (const make of [ringHash, maglev]) {
    let unkeyed = 0;
    const picker = make({ random, onUnkeyed: () => unkeyed++ })(
      fleet(5, (index) => `n${index}`),
      undefined,
    );
    const seen = new Set(
      Array.from({ length: 100 }, () => picker.pick(Call.root(runtime), noneExcluded)?.id),
    );
    assert.equal(seen.size, 5);
    assert.equal(unkeyed, 100);
  }
});

test('bounded load: no instance above 1.25 of its fair share, however hot a key is', () => {
  for (const make of [ringHash, maglev]) {
    const group = new LoadGroup();
    const all = fleet(10, (index) => `n${index}`).map((each) => ({ ...each, load: new Load(group) }));
    const picker = make({ random, boundedLoad: 1.25 })(all, undefined);
    const hot = keys.slice(0, 3);
    for (let n = 0; n < 400; n++) {
      const each = Call.root(runtime).set(hashKey, hot[n % 3]);
      const picked = picker.pick(each, noneExcluded) ?? assert.fail();
      picked.load?.begin(each);
      for (const { load } of all) assert.ok((load?.inFlight ?? 0) <= Math.ceil((1.25 * group.inFlight) / 10));
    }
  }
});

test('a key under the bound keeps its instance', () => {
  const group = new LoadGroup();
  const all = fleet(10, (index) => `n${index}`).map((each) => ({ ...each, load: new Load(group) }));
  const [bounded, free] = [ringHash({ random, boundedLoad: 1.25 })(all, undefined), ring(all, undefined)];
  for (const key of keys.slice(0, 200)) assert.equal(owner(bounded, key), owner(free, key));
});

test('the key comes from the first source that has one, and what the caller has set stays', async () => {
  const seen: (string | undefined)[] = [];
  const service = hashBy<string, string>(
    (req) => (req === '' ? undefined : req),
    fromCall(userId),
  )(async (req, each) => {
    seen.push(each.get(hashKey));
    return req;
  });
  await service('field', Call.root(runtime).set(userId, 'u1'));
  await service('', Call.root(runtime).set(userId, 'u1'));
  await service('', Call.root(runtime));
  await service('field', Call.root(runtime).set(hashKey, 'mine'));
  assert.deepEqual(seen, ['field', 'u1', undefined, 'mine']);
});

test('the hash: the last step is that of MurmurHash3, and a change of the input turns half of the output', () => {
  assert.equal(mix32(0), 0);
  assert.equal(mix32(1), 0x514e28b7);
  let turned = 0;
  for (let n = 0; n < 1000; n++) {
    const [a, b] = [hash32(`key-${n}`), hash32(`key-${n + 1}`)];
    for (let bits = a ^ b; bits !== 0; bits &= bits - 1) turned++;
  }
  assert.ok(Math.abs(turned / 1000 - 16) < 0.5, `${turned / 1000} of 32 bits`);
});
