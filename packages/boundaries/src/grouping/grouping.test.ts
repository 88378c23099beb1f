import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { couplingOf } from '../coupling/coupling.ts';
import { adjustedRand } from '../metrics/reference.ts';
import { checkConstraints } from '../model/check-constraints.ts';
import { Reader } from '../model/reader.ts';
import {
  type Capability,
  capabilityOf,
  type Constraints,
  type System,
  systemOf,
  unconstrained,
} from '../model/system.ts';
import { seeded } from './random.ts';
import { solutionsOf } from './solutions.ts';

const nameOf = (at: number): string => `c${String(at).padStart(3, '0')}`;

/** Systems with dependencies, entities, teams and complexities at random. */
const systems: fc.Arbitrary<System> = fc
  .record({
    size: fc.integer({ min: 2, max: 14 }),
    links: fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 30 }),
    entities: fc.array(fc.tuple(fc.nat(13), fc.nat(5)), { maxLength: 20 }),
    teams: fc.array(fc.nat(3), { minLength: 14, maxLength: 14 }),
    kind: fc.constantFrom('parts' as const, 'capabilities' as const),
  })
  .map(({ size, links, entities, teams, kind }) => {
    const capabilities = Array.from({ length: size }, (_, at) => {
      const on = links
        .filter(([from, to]) => from === at && to < size && to !== at)
        .map(([, to]) => nameOf(to));
      return capabilityOf({
        name: nameOf(at),
        team: `team ${teams[at]}`,
        complexity: (at % 4) + 1,
        dependencies: [...new Set(on)].map((name) => ({ on: name })),
        entities: entities
          .filter(([user]) => user === at)
          .map(([, entity]) => ({ entity: `E${entity}`, access: 'write' })),
      });
    });
    return systemOf({ kind, capabilities });
  });

/** The groups as names, in an order of their own. */
function groupsOf(system: System): string[][] {
  const coupling = couplingOf(system);
  const { partition } = solutionsOf(system, coupling).recommended;
  const groups = Map.groupBy(partition.keys(), (at) => partition[at]);
  const named = [...groups.values()].map((members) =>
    members.map((at) => coupling.capabilities[at]?.name ?? ''),
  );
  return named.sort((x, y) => ((x[0] ?? '') < (y[0] ?? '') ? -1 : 1));
}

describe('grouping', () => {
  test('does not depend on the order of the input', () => {
    fc.assert(
      fc.property(systems, fc.nat(), (system, seed) => {
        const random = seeded(seed);
        const capabilities = system.capabilities.toSorted(() => random() - 0.5);
        assert.deepEqual(groupsOf({ ...system, capabilities }), groupsOf(system));
      }),
      { numRuns: 40 },
    );
  });

  test('an unrelated capability changes no other group', () => {
    fc.assert(
      fc.property(systems, fc.constantFrom('a-first', 'c0005', 'z-last'), (system, name) => {
        const more = capabilityOf({
          name,
          team: 'another team',
          entities: [{ entity: 'Other', access: 'write' }],
        });
        const found = groupsOf({ ...system, capabilities: [...system.capabilities, more] });
        assert.deepEqual(
          found.filter((group) => !group.includes(name)),
          groupsOf(system),
        );
        assert.ok(found.some((group) => group.length === 1 && group[0] === name));
      }),
      { numRuns: 40 },
    );
  });

  test('a weight of 0 removes a criterion: what it is made from changes nothing any more', () => {
    fc.assert(
      fc.property(systems, fc.constantFrom('team', 'data', 'functional'), (system, criterion) => {
        const weights = { ...system.weights, [criterion]: 0 };
        const blind = (capability: Capability): Capability =>
          criterion === 'team'
            ? { ...capability, team: 'all' }
            : { ...capability, [criterion === 'data' ? 'entities' : 'dependencies']: [] };
        const without = { ...system, weights, capabilities: system.capabilities.map(blind) };
        assert.deepEqual(groupsOf({ ...system, weights }), groupsOf(without));
      }),
      { numRuns: 40 },
    );
  });

  test('constraints hold in every solution', () => {
    const constraints = fc.record({
      mustLink: fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 3 }),
      cannotLink: fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 4 }),
      maxSize: fc.option(fc.integer({ min: 2, max: 6 }), { nil: undefined }),
      maxComplexity: fc.option(fc.integer({ min: 6, max: 12 }), { nil: undefined }),
      minSize: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      oneTeamPerService: fc.boolean(),
    });
    fc.assert(
      fc.property(systems, constraints, (system, asked) => {
        const named = (pairs: readonly (readonly [number, number])[]): string[][] =>
          pairs
            .filter(([a, b]) => a !== b && a < system.capabilities.length && b < system.capabilities.length)
            .map((pair) => pair.map(nameOf));
        const given: Constraints = {
          mustLink: named(asked.mustLink),
          cannotLink: named(asked.cannotLink),
          oneTeamPerService: asked.oneTeamPerService,
          ...(asked.maxSize !== undefined && { maxSize: asked.maxSize }),
          ...(asked.minSize !== undefined && { minSize: asked.minSize }),
          ...(asked.maxComplexity !== undefined && { maxComplexity: asked.maxComplexity }),
        };
        const reader = new Reader();
        checkConstraints({ ...system, constraints: given }, reader);
        fc.pre(reader.problems.length === 0);
        assertObeyed({ ...system, constraints: given });
      }),
      { numRuns: 80 },
    );
  });
});

function assertObeyed(system: System): void {
  const {
    mustLink,
    cannotLink,
    maxSize = Infinity,
    maxComplexity = Infinity,
    oneTeamPerService,
  } = system.constraints;
  const coupling = couplingOf(system);
  const { recommended, tradeOff } = solutionsOf(system, coupling);
  for (const { partition, origin } of [recommended, ...tradeOff]) {
    const groupOf = new Map(coupling.capabilities.map(({ name }, at) => [name, partition[at]]));
    for (const [a = '', b = ''] of mustLink)
      assert.equal(groupOf.get(a), groupOf.get(b), `${origin}: ${a} with ${b}`);
    for (const [a = '', b = ''] of cannotLink)
      assert.notEqual(groupOf.get(a), groupOf.get(b), `${origin}: ${a} without ${b}`);
    for (const members of Map.groupBy(coupling.capabilities, ({ name }) => groupOf.get(name)).values()) {
      assert.ok(members.length <= maxSize, `${origin}: size ${members.length}`);
      assert.ok(members.reduce((sum, { complexity }) => sum + complexity, 0) <= maxComplexity, origin);
      assert.ok(
        !oneTeamPerService || new Set(members.map(({ team }) => team)).size === 1,
        `${origin}: teams`,
      );
    }
  }
}

describe('solutions', () => {
  const chain = systemOf({
    capabilities: ['a', 'b', 'c', 'd', 'e', 'f'].map((name, at) =>
      capabilityOf({
        name,
        entities: [{ entity: at < 3 ? 'X' : 'Y', access: 'write' }],
        dependencies: name === 'c' ? [{ on: 'd' }] : [],
      }),
    ),
  });

  test('what is strongly coupled is together', () => {
    assert.deepEqual(groupsOf(chain), [
      ['a', 'b', 'c'],
      ['d', 'e', 'f'],
    ]);
    const pair = ['a', 'b'].map((name) =>
      capabilityOf({
        name,
        entities: [{ entity: 'X', access: 'write' }],
        dependencies: name === 'a' ? [{ on: 'b' }] : [],
      }),
    );
    assert.deepEqual(groupsOf(systemOf({ capabilities: pair })), [['a', 'b']]);
  });

  test('the least size is reached where constraints allow it', () => {
    const constraints = { ...unconstrained, minSize: 6 };
    assert.equal(groupsOf({ ...chain, constraints }).length, 1);
    const apart = { ...constraints, cannotLink: [['a', 'f']] };
    assert.equal(groupsOf({ ...chain, constraints: apart }).length, 2);
  });

  test('as many services as are asked for', () => {
    for (const services of [1, 2, 6]) {
      const { recommended } = solutionsOf(chain, couplingOf(chain), { services });
      assert.equal(recommended.groups, services);
    }
  });

  test('none on the trade-off is beaten by another in both respects', () => {
    const { tradeOff } = solutionsOf(chain, couplingOf(chain));
    assert.ok(tradeOff.length > 1);
    for (const x of tradeOff) {
      for (const y of tradeOff) assert.ok(x === y || x.crossing < y.crossing || x.largest < y.largest);
    }
  });
});

describe('planted groups are found again', () => {
  for (const [size, groups, mixing] of [
    [128, 4, 0.3],
    [200, 10, 0.3],
    [400, 20, 0.4],
  ] as const) {
    test(`${groups} of ${size}, a share of ${mixing} of the dependencies at random`, () => {
      const random = seeded(7);
      const own = size / groups;
      const links = Array.from({ length: size }, () => new Set<number>());
      for (let left = size * 8; left > 0; left--) {
        const from = Math.floor(random() * size);
        const home = Math.floor(from / own) * own;
        const to = random() < mixing ? Math.floor(random() * size) : home + Math.floor(random() * own);
        if (to !== from) links[from]?.add(to);
      }
      const capabilities = links.map((on, at) =>
        capabilityOf({ name: nameOf(at), dependencies: [...on].map((to) => ({ on: nameOf(to) })) }),
      );
      const system = systemOf({ capabilities });
      const { partition } = solutionsOf(system, couplingOf(system)).recommended;
      const truth = capabilities.map((_, at) => Math.floor(at / own));
      const ari = adjustedRand([...partition], truth);
      assert.ok(ari >= 0.95, `ARI ${ari}`);
    });
  }
});
