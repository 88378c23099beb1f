// The samples of Service Cutter: how many services it proposes for them is known.
import assert from 'node:assert/strict';
import { analyse, type BoundariesReport, type System } from '@heddle/boundaries';
import { type Contract, resultOf, skippedWhole } from '../result.ts';
import { samplesMissing, serviceCutterSample } from './samples.ts';

/** Three services, as the integration test of Service Cutter itself asserts. */
export const booking: Contract = sampleContract('booking', 3);

/** Five services. */
export const trading: Contract = sampleContract('trading', 5);

function sampleContract(name: 'booking' | 'trading', services: number): Contract {
  return {
    backend: name,
    run: async () => {
      const missing = samplesMissing();
      if (missing !== undefined) return skippedWhole(name, missing);
      const system = serviceCutterSample(name);
      const check = (what: string, run: () => void): ReturnType<typeof resultOf> =>
        resultOf(name, '', what, async () => run());
      return Promise.all([
        check(`${services} services`, () => assert.equal(analyse(system).services.length, services)),
        check('the same from every start', () => sameFromEveryStart(system)),
        check('the same in another order', () => sameInAnotherOrder(name, system)),
        check('every number has its evidence', () => everyNumberHasEvidence(analyse(system))),
        check('every nanoentity has one owner', () => {
          const { ownership } = analyse(system);
          assert.equal(ownership.length, system.capabilities.length);
          assert.ok(ownership.every(({ conflict }) => !conflict));
        }),
      ]);
    },
  };
}

function groupsOf({ services }: BoundariesReport): string[] {
  return services.map(({ capabilities }) => capabilities.join()).sort();
}

function sameFromEveryStart(system: System): void {
  const first = groupsOf(analyse(system));
  for (let seed = 2; seed <= 10; seed++)
    assert.deepEqual(groupsOf(analyse(system, { seed })), first, `seed ${seed}`);
}

function sameInAnotherOrder(name: 'booking' | 'trading', system: System): void {
  const turned = serviceCutterSample(name, reversed);
  assert.deepEqual(groupsOf(analyse(turned)), groupsOf(analyse(system)));
}

/** All lists of a document the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed).toReversed();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, reversed(each)]));
}

function everyNumberHasEvidence({ matrix, weights }: BoundariesReport): void {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  for (const { coupling, parts } of matrix.pairs) {
    const sum = parts.reduce(
      (all, { criterion, value }) => all + value * (weights[criterion] ?? Number.NaN),
      0,
    );
    assert.ok(Math.abs(sum / total - coupling) < 1e-9);
    assert.ok(parts.every(({ evidence }) => evidence !== ''));
  }
}
