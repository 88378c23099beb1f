import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Meaning } from '@heddle/kernel';
import { type Command, parseDurationMs, testTranscripts } from '@heddle/kernel/testing';
import fc from 'fast-check';
import { defaultFailoverRules, type FailoverInput, onPrimary, step } from './failover-state.ts';

testTranscripts(path.join(import.meta.dirname, 'testdata'), failoverStage);

/** Executes the commands of the transcripts. */
function failoverStage(): (command: Command) => string {
  let state = onPrimary(0);
  let nowMs = 0;
  const apply = (input: FailoverInput): string => {
    const next = step(state, input, nowMs, defaultFailoverRules);
    state = next.state;
    return next.effects
      .map((effect) =>
        effect.kind === 'route' ? effect.to : `${effect.from} -> ${effect.to} (${effect.why})`,
      )
      .join('\n');
  };
  return ({ name, words, options }) => {
    if (name === 'at') {
      nowMs = parseDurationMs(words[0] ?? '');
      return '';
    }
    if (name === 'calls') {
      // A hundred calls with evenly spread chances: how many go where.
      let primary = 0;
      for (let n = 0; n < 100; n++) {
        const next = step(state, { kind: 'call', chance: n / 100 }, nowMs, defaultFailoverRules);
        state = next.state;
        if (next.effects.some((effect) => effect.kind === 'route' && effect.to === 'primary')) primary++;
      }
      return `${primary} of 100 to the primary`;
    }
    if (name === 'call') return apply({ kind: 'call', chance: Number(options.get('chance') ?? 0) });
    if (name === 'unhealthy') return apply({ kind: 'health', healthy: false });
    const lines: string[] = [];
    const term = Number(options.get('term') ?? state.term);
    for (let n = Number(options.get('times') ?? 1); n > 0; n--)
      lines.push(apply({ kind: 'ended', term, meaning: name as Meaning }));
    return lines.filter(Boolean).join('\n');
  };
}

const acts = fc.array(
  fc.record({
    waitMs: fc.nat(20_000),
    act: fc.constantFrom('call', 'call', 'call', 'success', 'success', 'failure', 'ignored', 'unhealthy'),
    chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  }),
  { maxLength: 150 },
);

test('property: no call reaches a primary that is away, one at a time tries it, and it returns step by step', () => {
  fc.assert(
    fc.property(acts, (plan) => {
      let state = onPrimary(0);
      let nowMs = 0;
      const out: number[] = [];
      for (const { waitMs, act, chance } of plan) {
        nowMs += waitMs;
        let input: FailoverInput;
        if (act === 'call') input = { kind: 'call', chance };
        else if (act === 'unhealthy') input = { kind: 'health', healthy: false };
        else {
          const term = out.shift();
          if (term === undefined) continue;
          input = { kind: 'ended', term, meaning: act };
        }
        const before = state;
        const next = step(state, input, nowMs, defaultFailoverRules);
        state = next.state;
        const last = next.effects.at(-1);
        if (last?.kind === 'route' && last.to === 'primary') {
          out.push(state.term);
          assert.notEqual(state.mode, 'backup');
        }
        if (state.mode === 'probing') assert.ok(out.filter((term) => term === state.term).length <= 1);
        const grows = state.mode === 'returning' && before.mode === 'returning' && state.term !== before.term;
        if (grows)
          assert.ok(state.step === before.step + 1 && nowMs - before.sinceMs >= defaultFailoverRules.stepMs);
        if (state.mode === 'primary' && before.mode !== 'primary') assert.equal(before.step, 2);
      }
    }),
  );
});
