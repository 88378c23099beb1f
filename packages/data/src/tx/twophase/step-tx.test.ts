import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decidedTx, newTx, stepTx } from './step-tx.ts';
import type { TxInput, TxState } from './tx-state.ts';

const failure = { branch: 'a', code: 'aborted', reason: 'NO', message: 'no' };

/** `join a`, `yes a`, `no a`, `lost a`, `end`, `fail`, `stored`, `fenced`, `unknown`, `ok a`, `deaf a`: what each leads to. */
function transcript(lines: readonly string[], from: TxState = newTx): readonly string[] {
  let state = from;
  return lines.map((line) => {
    const [verb = '', branch = ''] = line.split(' ');
    const next = stepTx(state, inputOf(verb, branch));
    state = next.state;
    const effects = next.effects.map((effect) =>
      effect.kind === 'log' ? 'log' : `${effect.decision} ${effect.branch}`,
    );
    return [state.status, ...effects].join(', ');
  });
}

function inputOf(verb: string, branch: string): TxInput {
  switch (verb) {
    case 'join':
      return { kind: 'join', branch };
    case 'yes':
      return { kind: 'voted-yes', branch };
    case 'no':
    case 'lost':
      return { kind: 'voted-no', branch, gone: verb === 'no', failure };
    case 'end':
      return { kind: 'end' };
    case 'fail':
      return { kind: 'end', failure };
    case 'stored':
    case 'fenced':
      return { kind: 'logged', stored: verb === 'stored' };
    case 'unknown':
      return { kind: 'log-unknown' };
    case 'ok':
      return { kind: 'confirmed', branch };
    case 'deaf':
      return { kind: 'not-told', branch };
    default:
      throw new Error(`no such input: ${verb}`);
  }
}

describe('stepTx', () => {
  test('all vote yes: it is stored, then told, until all have confirmed', () => {
    const lines = [
      'join a',
      'join b',
      'yes a',
      'yes b',
      'end',
      'unknown',
      'stored',
      'ok a',
      'deaf b',
      'ok b',
    ];
    assert.deepEqual(transcript(lines), [
      'working',
      'working',
      'working',
      'working',
      'deciding, log',
      'deciding, log',
      'committing, commit a, commit b',
      'committing',
      'committing, commit b',
      'committed',
    ]);
  });

  test('a no, a lost vote, a missing vote and a fenced coordinator abort; only what may be prepared is told', () => {
    assert.deepEqual(transcript(['join a', 'join b', 'yes a', 'no b', 'end', 'ok a']).slice(-2), [
      'aborting, abort a',
      'aborted',
    ]);
    assert.deepEqual(transcript(['join a', 'lost a', 'end', 'deaf a', 'ok a']).slice(-3), [
      'aborting, abort a',
      'aborting, abort a',
      'aborted',
    ]);
    assert.deepEqual(transcript(['join a', 'join b', 'yes a', 'end', 'ok a', 'yes b', 'ok b']).slice(-4), [
      'aborting, abort a',
      'aborting',
      'aborting, abort b',
      'aborted',
    ]);
    assert.deepEqual(transcript(['join a', 'yes a', 'end', 'fenced', 'ok a']).slice(-2), [
      'aborting, abort a',
      'aborted',
    ]);
  });

  test('a decision that was taken over is told to all', () => {
    const lines = ['deaf a', 'deaf b', 'ok a', 'ok a', 'fenced', 'fail', 'ok b'];
    assert.deepEqual(transcript(lines, decidedTx(['a', 'b'])), [
      'committing, commit a',
      'committing, commit b',
      'committing',
      'committing',
      'committing',
      'committing',
      'committed',
    ]);
  });

  test('whatever comes in whatever order: what is told never contradicts itself, and commit needs every yes and the log', () => {
    const verbs = ['join', 'yes', 'no', 'lost', 'end', 'fail', 'stored', 'fenced', 'unknown', 'ok', 'deaf'];
    const line = fc.tuple(fc.constantFrom(...verbs), fc.constantFrom('a', 'b', 'c'));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        let state = newTx;
        let stored = false;
        const votes = new Map<string, string>();
        const told = new Set<string>();
        for (const [verb, branch] of lines) {
          const before = state;
          const next = stepTx(state, inputOf(verb, branch));
          state = next.state;
          if (verb === 'stored' && before.status === 'deciding') stored = true;
          if (['yes', 'no', 'lost'].includes(verb) && before.branches[branch] === 'asked')
            votes.set(branch, verb);
          for (const effect of next.effects) if (effect.kind === 'tell') told.add(effect.decision);
          const joined = Object.keys(state.branches);
          if (state.status === 'committed' && joined.length > 0)
            assert.ok(
              stored && joined.every((name) => votes.get(name) === 'yes' && state.branches[name] === 'done'),
            );
          if (state.status === 'aborted')
            assert.ok(Object.values(state.branches).every((phase) => phase === 'done' || phase === 'none'));
          if (told.has('commit')) assert.ok(stored);
        }
        assert.ok(told.size <= 1);
      }),
    );
  });
});
