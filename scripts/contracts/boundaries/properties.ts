// What must hold on real systems, whole and damaged: quality, order, unrelated additions, constraints.
import assert from 'node:assert/strict';
import { analyse, capabilityOf, type System } from '@heddle/boundaries';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { measured } from './measured.ts';
import { codeBase, referenceText, samplesMissing } from './samples.ts';

const backend = 'properties';
const systems = ['jpetstore', 'partsunlimited'] as const;
/** What the best published tool reaches, and what we hold ourselves to. */
const goals = {
  jpetstore: { goal: 81, published: 76.19 },
  partsunlimited: { goal: 72, published: 50 },
} as const;

/** Properties on the two public code bases. */
export const properties: Contract = {
  backend,
  run: async () => {
    const missing = samplesMissing();
    if (missing !== undefined) return skippedWhole(backend, missing);
    const results: ContractResult[] = [];
    for (const name of systems) {
      const check = async (what: string, run: () => void): Promise<void> => {
        results.push(await resultOf(backend, '', `${name}: ${what}`, async () => run()));
      };
      await check(`MoJoFM of at least ${goals[name].goal}, services not given`, () => goodEnough(name));
      await check(
        'better than the best published tool on the mean of 20, each without a tenth of its relations',
        () => robust(name),
      );
      await check('the order of the input changes nothing', () => orderChangesNothing(codeBase(name)));
      await check('an unrelated capability changes no other group', () =>
        unrelatedChangesNothing(codeBase(name)),
      );
      await check('constraints hold in every proposal', () => constraintsHold(codeBase(name)));
    }
    return results;
  },
};

function goodEnough(name: (typeof systems)[number]): void {
  const { mojofm } = measured(codeBase(name), referenceText(name));
  assert.ok(mojofm >= goals[name].goal, `MoJoFM ${mojofm}`);
}

function robust(name: (typeof systems)[number]): void {
  const trials = 20;
  let sum = 0;
  for (let trial = 0; trial < trials; trial++) {
    let at = trial * 7919;
    const damaged = codeBase(name, () => (at = (at * 48_271 + 11) % 2_147_483_647) % 10 !== 0);
    sum += measured(damaged, referenceText(name)).mojofm;
  }
  assert.ok(sum / trials >= goals[name].published, `mean MoJoFM ${sum / trials}`);
}

function groupsOf(system: System): string[] {
  return analyse(system)
    .services.map(({ capabilities }) => capabilities.join())
    .sort();
}

function orderChangesNothing(system: System): void {
  const { capabilities, relations } = system;
  const turned = { ...system, capabilities: capabilities.toReversed(), relations: relations.toReversed() };
  assert.deepEqual(groupsOf(turned), groupsOf(system));
}

function unrelatedChangesNothing(system: System): void {
  const name = 'm.Unrelated';
  const more = { ...system, capabilities: [...system.capabilities, capabilityOf({ name })] };
  assert.deepEqual(
    groupsOf(more).filter((group) => group !== name),
    groupsOf(system),
  );
}

function constraintsHold(system: System): void {
  const [first, second] = analyse(system).services;
  const [a, b, c] = [
    first?.capabilities[0] ?? '',
    first?.capabilities[1] ?? '',
    second?.capabilities[0] ?? '',
  ];
  // The opposite of what it proposes by itself.
  const constraints = { mustLink: [[a, c]], cannotLink: [[a, b]], maxSize: 7, oneTeamPerService: false };
  const report = analyse({ ...system, constraints });
  for (const { services } of [report, ...report.alternatives]) {
    const home = (name: string): number =>
      services.findIndex(({ capabilities }) => capabilities.includes(name));
    assert.equal(home(a), home(c));
    assert.notEqual(home(a), home(b));
    for (const { capabilities } of services) assert.ok(capabilities.length <= 7);
  }
}
