import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { type Command, parseDurationMs, testTranscripts } from '@heddle/kernel/testing';
import fc from 'fast-check';
import {
  defaultOutlierRules,
  mostEjected,
  noOutliers,
  type OutlierInput,
  type OutlierRules,
  type OutlierState,
  step,
  type Tally,
} from './outlier-state.ts';

testTranscripts(path.join(import.meta.dirname, 'testdata'), outlierStage);

/** Executes the commands of the transcripts. */
function outlierStage(): (command: Command) => string {
  let rules: OutlierRules = { ...defaultOutlierRules, maxEjectedShare: 0.5 };
  let state: OutlierState = noOutliers;
  let nowMs = 0;
  let tallies: Tally[] = [];
  let known = 10;
  const apply = (input: OutlierInput): string => {
    const next = step(state, input, nowMs, rules);
    state = next.state;
    const lines = next.effects.map((effect) =>
      effect.kind === 'restored'
        ? `restored ${effect.id}`
        : `ejected ${effect.id} until ${effect.untilMs}ms (${effect.why})`,
    );
    return lines.length === 0 ? 'nothing' : lines.join('\n');
  };
  return ({ name, words, options }) => {
    const [id = ''] = words;
    const value = (key: string): number => Number(options.get(key) ?? 0);
    switch (name) {
      case 'rules':
        for (const [key, each] of options) rules = { ...rules, [key]: Number(each) };
        return '';
      case 'known':
        known = Number(id);
        return '';
      case 'at':
        nowMs = parseDurationMs(id);
        return '';
      case 'tally':
        for (const each of words)
          tallies.push({
            id: each,
            calls: value('calls'),
            failures: value('failures'),
            totalMs: value('ms') * value('calls'),
          });
        return '';
      case 'interval': {
        const taken = tallies;
        tallies = [];
        return apply({ kind: 'interval', tallies: taken, known });
      }
      case 'failing':
        return apply({ kind: 'failing', id, failures: value('failures'), known });
      case 'told':
        return apply({ kind: 'told', id, untilMs: value('until'), why: 'elsewhere', known });
      default:
        return apply(name === 'gone' ? { kind: 'gone', id } : { kind: 'time' });
    }
  };
}

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const tally = fc.record({
  id: ids,
  calls: fc.nat(300),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  ms: fc.nat(500),
});
const inputs = fc.array(
  fc.record({
    waitMs: fc.nat(40_000),
    kind: fc.constantFrom('failing', 'interval', 'time', 'told', 'gone' as const),
    id: ids,
    tallies: fc.uniqueArray(tally, { selector: ({ id }) => id, maxLength: 6 }),
  }),
  { maxLength: 60 },
);

test('property: never more than allowed are out, none for longer than the limit, and each comes back in time', () => {
  fc.assert(
    fc.property(
      inputs,
      fc.integer({ min: 1, max: 6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (plan, known, share) => {
        const rules = { ...defaultOutlierRules, maxEjectedShare: share };
        let state = noOutliers;
        let nowMs = 0;
        for (const { waitMs, kind, id, tallies } of plan) {
          nowMs += waitMs;
          const counted = tallies.map(({ id: each, calls, share: bad, ms }) => {
            return { id: each, calls, failures: Math.floor(calls * bad), totalMs: ms * calls };
          });
          const input: OutlierInput =
            kind === 'failing'
              ? { kind, id, failures: 5, known }
              : kind === 'interval'
                ? { kind, tallies: counted, known }
                : kind === 'told'
                  ? { kind, id, untilMs: nowMs + rules.ejectMs, why: 'elsewhere', known }
                  : kind === 'gone'
                    ? { kind, id }
                    : { kind };
          const next = step(state, input, nowMs, rules);
          assert.ok(
            next.state.ejected.size <= mostEjected(known, share) &&
              next.state.ejected.size < Math.max(known, 1),
          );
          for (const { untilMs } of next.state.ejected.values())
            assert.ok(untilMs > nowMs && untilMs <= nowMs + rules.maxEjectMs);
          for (const before of state.ejected.keys()) {
            const told = next.effects.some((effect) => effect.kind === 'restored' && effect.id === before);
            if (!next.state.ejected.has(before)) assert.ok(told || (kind === 'gone' && id === before));
          }
          state = next.state;
        }
      },
    ),
  );
});
