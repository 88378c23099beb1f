import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Meaning } from '@heddle/kernel';
import { type Command, parseDurationMs, testTranscripts } from '@heddle/kernel/testing';
import fc from 'fast-check';
import {
  type BreakerEffect,
  type BreakerInput,
  type BreakerRules,
  closedBreaker,
  defaultBreakerRules,
  step,
} from './breaker-state.ts';

testTranscripts(path.join(import.meta.dirname, 'testdata'), breakerStage);

/** Executes the commands of the transcripts. */
function breakerStage(): (command: Command) => string {
  let rules: BreakerRules = defaultBreakerRules;
  let state = closedBreaker(0);
  let nowMs = 0;
  const apply = (input: BreakerInput): string => {
    const next = step(state, input, nowMs, rules);
    state = next.state;
    return next.effects.map(show).join('\n');
  };
  return ({ name, words, options }) => {
    if (name === 'rate') {
      const value = (key: string): number => Number(options.get(key));
      const failureRate = { share: value('share'), minCalls: value('calls'), windowMs: value('window') };
      rules = { ...rules, failureRate };
      return '';
    }
    if (name === 'rules') {
      for (const [key, value] of options) rules = { ...rules, [key]: Number(value) };
      return '';
    }
    if (name === 'at') {
      nowMs = parseDurationMs(words[0] ?? '');
      return '';
    }
    if (name === 'state') return `${state.mode}, ${state.failures} failures, ${state.successes} successes`;
    if (name === 'call' || name === 'time') return apply({ kind: name });
    if (name === 'others') {
      const value = (key: string): number => Number(options.get(key) ?? 0);
      const [calls, failures, failuresInARow] = [value('calls'), value('failures'), value('row')];
      return apply({ kind: 'others', counts: { calls, failures, failuresInARow, totalMs: 0 } });
    }
    const term = Number(options.get('term') ?? state.term);
    if (name === 'answered') return apply({ kind: 'answered', term });
    const times = Number(options.get('times') ?? 1);
    const lines: string[] = [];
    for (let n = 0; n < times; n++) {
      const answered = words.includes('answered');
      lines.push(apply({ kind: 'ended', term, meaning: name as Meaning, answered }));
    }
    return lines.filter(Boolean).join('\n');
  };
}

function show(effect: BreakerEffect): string {
  if (effect.kind === 'changed') return `${effect.from} -> ${effect.to} (${effect.why})`;
  return effect.kind === 'refused' ? `refused for ${effect.afterMs}ms` : effect.kind;
}

const rules = fc.record<BreakerRules>({
  consecutiveFailures: fc.integer({ min: 1, max: 6 }),
  failureRate: fc.option(
    fc.record({
      share: fc.double({ min: 0.1, max: 1, noNaN: true }),
      minCalls: fc.integer({ min: 1, max: 20 }),
      windowMs: fc.integer({ min: 10, max: 5000 }),
    }),
    { nil: undefined },
  ),
  openMs: fc.integer({ min: 1, max: 2000 }),
  probes: fc.integer({ min: 1, max: 3 }),
  successes: fc.integer({ min: 1, max: 4 }),
});
const acts = fc.array(
  fc.record({
    waitMs: fc.nat(600),
    act: fc.constantFrom('call', 'call', 'success', 'failure', 'retryable', 'ignored', 'answered', 'time'),
    which: fc.nat(20),
  }),
  { maxLength: 120 },
);

test('property: open admits nobody, half-open never more than its probes, and each change has its cause', () => {
  fc.assert(
    fc.property(rules, acts, (given, plan) => {
      let state = closedBreaker(0);
      let nowMs = 0;
      const calls: { term: number; answered: boolean }[] = [];
      for (const { waitMs, act, which } of plan) {
        nowMs += waitMs;
        const before = state;
        let input: BreakerInput;
        if (act === 'call' || act === 'time') input = { kind: act };
        else {
          const index = which % Math.max(1, calls.length);
          const call = calls[index];
          if (call === undefined || (act === 'answered' && call.answered)) continue;
          input =
            act === 'answered'
              ? { kind: 'answered', term: call.term }
              : { kind: 'ended', term: call.term, meaning: act, answered: call.answered };
          call.answered = true;
          if (act !== 'answered') calls.splice(index, 1);
        }
        const next = step(state, input, nowMs, given);
        state = next.state;
        const last = next.effects.at(-1);
        if (input.kind === 'call') assert.ok(last?.kind === 'admitted' || last?.kind === 'refused');
        if (last?.kind === 'admitted') calls.push({ term: state.term, answered: false });
        if (last?.kind === 'admitted') assert.notEqual(state.mode, 'open');
        assert.ok(state.probing >= 0 && state.probing <= given.probes);
        const trying = calls.filter(({ term, answered }) => term === state.term && !answered).length;
        if (state.mode === 'half_open') assert.equal(state.probing, trying);
        for (const effect of next.effects) {
          if (effect.kind !== 'changed') continue;
          if (effect.from === 'open')
            assert.ok(effect.to === 'half_open' && nowMs - before.sinceMs >= given.openMs);
          if (effect.to === 'closed') assert.ok(before.successes + 1 >= given.successes && act === 'success');
          if (effect.to === 'open') assert.ok(act === 'failure' || act === 'retryable');
        }
      }
    }),
  );
});
