import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { emptyGroup, type GroupInput, type GroupState, stepGroup } from './group-state.ts';

const leaseMs = 100;
const renew = (member: string): GroupInput => ({ kind: 'renew', member, leaseMs });

/** Owners by partition, `.` for none. */
function ownersOf(state: GroupState): string {
  return state.claims.map(({ owner }) => owner ?? '.').join('');
}

/** Runs `at member action …` lines, and gives the owners after each. */
function transcript(partitions: number, lines: readonly string[]): readonly string[] {
  let state = emptyGroup(partitions);
  return lines.map((line) => {
    const [at = '', member = '', action = '', partition = ''] = line.split(' ');
    const epoch = state.claims[Number(partition)]?.epoch ?? 0;
    const input: GroupInput =
      action === 'renew'
        ? renew(member)
        : action === 'leave'
          ? { kind: 'leave', member }
          : { kind: 'release', member, partition: Number(partition), epoch };
    const step = stepGroup(state, input, Number(at));
    state = step.state;
    const { surplus, abandoned } = step.effects;
    const more = [
      ...(surplus.length > 0 ? [`surplus ${surplus.join()}`] : []),
      ...(abandoned.length > 0 ? [`abandoned ${abandoned.join()}`] : []),
    ];
    return [ownersOf(state), ...more].join(' ');
  });
}

describe('stepGroup', () => {
  test('the first gets all; the second what the first gives back', () => {
    assert.deepEqual(
      transcript(4, [
        '0 a renew',
        '1 b renew',
        '2 a renew',
        '3 a release 2',
        '4 a release 3',
        '5 b renew',
        '6 a renew',
      ]),
      ['aaaa', 'aaaa', 'aaaa surplus 2,3', 'aa.a surplus 3', 'aa..', 'aabb', 'aabb'],
    );
  });

  test('who falls silent has left; what it had goes to the others', () => {
    assert.deepEqual(transcript(3, ['0 a renew', '60 b renew', '101 b renew', '120 a renew']), [
      'aaa',
      'aaa',
      'bbb abandoned 0,1,2',
      'bbb',
    ]);
  });

  test('who leaves gives everything back at once', () => {
    assert.deepEqual(transcript(2, ['0 a renew', '0 b renew', '0 a leave', '0 b renew']), [
      'aa',
      'aa',
      '..',
      'bb',
    ]);
  });

  test('a release with an old epoch says nothing', () => {
    const first = stepGroup(emptyGroup(1), renew('a'), 0).state;
    const second = stepGroup(first, renew('b'), 200).state;
    const late = stepGroup(second, { kind: 'release', member: 'b', partition: 0, epoch: 1 }, 201).state;
    assert.equal(ownersOf(late), 'b');
  });
});

test('whatever happens: one owner at most, epochs only grow, and in the end all is shared fairly', () => {
  const action = fc.record({
    member: fc.constantFrom('a', 'b', 'c', 'd'),
    kind: fc.constantFrom('renew', 'renew', 'renew', 'release', 'leave'),
    partition: fc.nat(6),
    waitMs: fc.nat(80),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.array(action, { maxLength: 60 }),
      (partitions, actions) => {
        let state = emptyGroup(partitions);
        let now = 0;
        for (const { member, kind, partition, waitMs } of actions) {
          now += waitMs;
          const epoch = state.claims[partition]?.epoch ?? 0;
          const input: GroupInput =
            kind === 'renew'
              ? renew(member)
              : kind === 'leave'
                ? { kind: 'leave', member }
                : { kind: 'release', member, partition, epoch };
          const next = stepGroup(state, input, now).state;
          for (const [at, claim] of next.claims.entries()) {
            const before = state.claims[at] ?? claim;
            assert.ok(claim.epoch >= before.epoch);
            // A partition passes from one owner to another by way of nobody: with a new epoch.
            if (claim.owner !== undefined && claim.owner !== before.owner)
              assert.ok(claim.epoch > before.epoch);
          }
          state = next;
        }
        // Two members live on, renew, and give back what they are asked for.
        now += leaseMs;
        for (let round = 0; round < 3; round += 1)
          for (const member of ['x', 'y']) {
            const step = stepGroup(state, renew(member), now);
            state = step.state;
            for (const partition of step.effects.surplus) {
              const epoch = state.claims[partition]?.epoch ?? 0;
              state = stepGroup(state, { kind: 'release', member, partition, epoch }, now).state;
            }
          }
        const owned = (member: string): number => state.claims.filter(({ owner }) => owner === member).length;
        assert.equal(owned('x') + owned('y'), partitions);
        assert.ok(Math.abs(owned('x') - owned('y')) <= 1);
      },
    ),
  );
});
