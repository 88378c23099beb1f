import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Command, parseDurationMs, runTranscript } from '../testing/transcript.ts';
import {
  type CheckResult,
  defaultHealthRules,
  type HealthEffect,
  type HealthInput,
  type HealthRules,
  step,
  unknownHealth,
} from './health-state.ts';

// HEDDLE_REWRITE=1 writes what really happened into the files. Commit that only if you know why it changed.
const rewrite = process.env['HEDDLE_REWRITE'] === '1';
const folder = path.join(import.meta.dirname, 'testdata');

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(`transcript ${file}`, () => {
    const text = readFileSync(path.join(folder, file), 'utf8');
    const actual = runTranscript(text, healthStage());
    if (rewrite) writeFileSync(path.join(folder, file), actual);
    else assert.equal(actual, text);
  });
}

/** Executes the commands of the transcripts. */
function healthStage(): (command: Command) => string {
  let rules: HealthRules = { ...defaultHealthRules, jitter: 0 };
  let state = unknownHealth(0);
  let nowMs = 0;
  return ({ name, words, options }) => {
    if (name === 'rules') {
      for (const [key, value] of options) rules = { ...rules, [key]: Number(value) };
      return '';
    }
    if (name === 'at') {
      nowMs = parseDurationMs(words[0] ?? '');
      return '';
    }
    if (name === 'state') {
      const { health, successes, failures, sinceMs } = state;
      return `${health} since ${sinceMs}ms, ${successes} successes, ${failures} failures`;
    }
    const health = words[0] as CheckResult['health'];
    const result = { health, why: options.get('why') ?? '' };
    const chance = Number(options.get('chance') ?? 0.5);
    const input: HealthInput =
      name === 'checked' ? { kind: 'checked', result, chance } : { kind: 'reported', result };
    const next = step(state, input, nowMs, rules);
    state = next.state;
    return next.effects.length === 0 ? 'nothing' : next.effects.map(show).join('\n');
  };
}

function show(effect: HealthEffect): string {
  if (effect.kind === 'check') return `check again after ${Math.round(effect.afterMs)}ms`;
  return `${effect.from} -> ${effect.to}${effect.why === '' ? '' : ` (${effect.why})`}`;
}

const results = fc.array(fc.constantFrom('passing', 'warning', 'critical' as const), { maxLength: 60 });
const rules = fc.record({
  intervalMs: fc.integer({ min: 1, max: 60_000 }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  rise: fc.integer({ min: 1, max: 5 }),
  fall: fc.integer({ min: 1, max: 5 }),
});

test('property: critical only after fall failures in a row, and back only after rise successes in a row', () => {
  fc.assert(
    fc.property(results, rules, (found, given) => {
      let state = unknownHealth(0);
      for (const [at, health] of found.entries()) {
        const before = state.health;
        const input = { kind: 'checked', result: { health, why: '' }, chance: 0.3 } as const;
        state = step(state, input, at, given).state;
        const last = (count: number): readonly string[] => found.slice(Math.max(0, at + 1 - count), at + 1);
        if (state.health === 'critical' && before !== 'critical') {
          assert.deepEqual(last(given.fall), Array(given.fall).fill('critical'));
        }
        if (before === 'critical' && state.health !== 'critical') {
          assert.ok(at + 1 >= given.rise && !last(given.rise).includes('critical'));
        }
        if (before !== 'critical' && health !== 'critical') assert.equal(state.health, health);
      }
    }),
  );
});

test('property: the next check is within the jitter, and always comes', () => {
  const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(rules, chances, fc.constantFrom('passing', 'critical' as const), (given, chance, health) => {
      const input = { kind: 'checked', result: { health, why: '' }, chance } as const;
      const waits = step(unknownHealth(0), input, 0, given).effects.filter(({ kind }) => kind === 'check');
      assert.equal(waits.length, 1);
      const [wait] = waits;
      assert.ok(wait?.kind === 'check');
      assert.ok(wait.afterMs >= given.intervalMs * (1 - given.jitter) - 1e-6);
      assert.ok(wait.afterMs <= given.intervalMs * (1 + given.jitter) + 1e-6);
    }),
  );
});
