// What holds for every policy, whatever it decides by.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { available } from './available.ts';
import { byPriority } from './by-priority.ts';
import { hashKey } from './hash-key.ts';
import { leastRequest } from './least-request.ts';
import { Load, LoadGroup } from './load.ts';
import { locality } from './locality.ts';
import { maglev } from './maglev.ts';
import { orca } from './orca.ts';
import { p2cLatency } from './p2c-latency.ts';
import { type Candidate, noneExcluded, type Picker, type Policy } from './picker.ts';
import { random, weightedRandom } from './random.ts';
import { ringHash } from './ring-hash.ts';
import { roundRobin } from './round-robin.ts';
import { slowStart } from './slow-start.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

const time = new VirtualTime();
const runtime = bareRuntime(time);
const chance = seededRandom(7);
const { clock } = time;
const here = { random: chance, zone: 'z0', region: 'r0' };
const policies: readonly [string, () => Policy][] = [
  ['round_robin', () => roundRobin(chance)],
  ['weighted_round_robin', () => weightedRoundRobin],
  ['random', () => random(chance)],
  ['weighted_random', () => weightedRandom(chance)],
  ['least_request', () => leastRequest(chance)],
  ['least_request', () => leastRequest(chance, { scanUpTo: 0 })],
  ['p2c_latency', () => p2cLatency({ random: chance, clock })],
  ['ring_hash', () => ringHash({ random: chance })],
  ['ring_hash', () => ringHash({ random: chance, boundedLoad: 1.25 })],
  ['maglev', () => maglev({ random: chance })],
  ['maglev', () => maglev({ random: chance, boundedLoad: 1.25 })],
  ['orca', () => orca({ random: chance, clock })],
  ['round_robin', () => available(roundRobin(chance))],
  ['locality(weighted_round_robin)', () => locality(weightedRoundRobin, here)],
  ['priority(least_request)', () => byPriority(leastRequest(chance), { random: chance })],
  ['slow_start(random)', () => slowStart(random(chance), { random: chance, clock })],
];

const call = Call.root(runtime);
const group = new LoadGroup();
const loads = Array.from({ length: 12 }, () => new Load(group));

interface Drawn {
  readonly id: number;
  readonly weight: number;
  readonly zone: number;
  readonly blocked: boolean;
}
const drawn = fc.record<Drawn>({
  id: fc.nat(11),
  weight: fc.constantFrom(0, 1, 50, 100, 100, 300),
  zone: fc.nat(2),
  blocked: fc.boolean(),
});
const sets = fc.array(fc.uniqueArray(drawn, { selector: ({ id }) => id, maxLength: 10 }), {
  minLength: 1,
  maxLength: 6,
});

function candidateOf({ id, weight, zone, blocked }: Drawn): Candidate {
  return {
    id: `i${id}`,
    weight,
    zone: `z${zone}`,
    region: zone === 2 ? 'r1' : 'r0',
    priority: zone,
    load: loads[id],
    blocked: blocked ? { reason: 'ejected' } : undefined,
  };
}

for (const [name, make] of policies) {
  test(`${name}: over any updates it picks from the set, and avoids the tried while others can`, () => {
    fc.assert(
      fc.property(sets, fc.array(fc.nat(11), { maxLength: 4 }), fc.string(), (updates, tried, key) => {
        const policy = make();
        let picker: Picker<Candidate> | undefined;
        const ids = tried.map((id) => `i${id}`);
        for (const update of updates) {
          const candidates = update.map(candidateOf);
          picker = policy(candidates, picker);
          assert.equal(picker.policy, name);
          assert.deepEqual(
            picker.candidates.map(({ id }) => id),
            candidates.map(({ id }) => id).toSorted(),
          );
          for (const one of [call, call.child().set(hashKey, key)]) {
            assert.equal(picker.pick(one, noneExcluded) === undefined, candidates.length === 0);
            const picked = picker.pick(one, ids);
            assert.equal(picked === undefined, candidates.length === 0);
            if (picked === undefined) continue;
            assert.ok(candidates.includes(picked), 'the object of this update, not of an earlier one');
            if (ids.includes(picked.id)) assert.ok(!hasOther(candidates, picked, ids), picked.id);
          }
        }
      }),
      // Maglev makes a table of 65,537 places at each update.
      { numRuns: name === 'maglev' ? 15 : 150 },
    );
  });
}

/** True if there is one that nothing speaks against, of a weight if any has one. */
function hasOther(candidates: readonly Candidate[], picked: Candidate, tried: readonly string[]): boolean {
  const level = ({ zone, blocked }: Candidate): boolean => zone === picked.zone && blocked === undefined;
  return candidates.some(
    (one) =>
      one !== picked &&
      !tried.includes(one.id) &&
      one.weight > 0 &&
      level(one) &&
      picked.blocked === undefined,
  );
}
