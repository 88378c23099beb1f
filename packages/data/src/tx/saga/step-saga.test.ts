import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SagaEffect, SagaInput, SagaPlan, SagaState, StepPlan } from './saga-state.ts';
import { dueMs, newSaga, stepSaga } from './step-saga.ts';

const failure = { code: 'unavailable', reason: 'DOWN', message: 'down' };

function step(name: string, more: Partial<StepPlan> = {}): StepPlan {
  return { name, kind: 'action', pivot: false, undoable: true, attempts: 2, undoAttempts: 2, ...more };
}

/** `1 ok reserve`, `2 fail pay`, `3 bad pay` (for good), `4 undone x`, `5 tick` …, and what each leads to. */
function transcript(plan: SagaPlan, lines: readonly string[]): readonly string[] {
  let state = newSaga(plan, 0);
  return ['0 start', ...lines].map((line) => {
    const [at = '', verb = '', name = ''] = line.split(' ');
    const next = stepSaga(plan, state, inputOf(verb, name), Number(at));
    state = next.state;
    const effects = next.effects.map((effect) => `${effect.kind} ${effect.step} ${effect.attempt}`);
    return [state.status, ...effects].join(', ');
  });
}

function inputOf(verb: string, name: string): SagaInput {
  switch (verb) {
    case 'ok':
      return { kind: 'succeeded', step: name, result: `${name}!` };
    case 'skip':
      return { kind: 'skipped', step: name };
    case 'fail':
      return { kind: 'failed', step: name, failure, retryable: true, mayHaveHappened: true, delayMs: 10 };
    case 'bad':
      return { kind: 'failed', step: name, failure, retryable: false, mayHaveHappened: false, delayMs: 10 };
    case 'undone':
      return { kind: 'undone', step: name };
    case 'undo-fail':
      return { kind: 'undo-failed', step: name, failure, delayMs: 10 };
    case 'event':
      return { kind: 'event', step: name, payload: 'yes' };
    case 'settle':
      return { kind: 'settle', step: name };
    case 'compensate':
      return { kind: 'compensate', failure };
    case 'resume':
    case 'retry':
    case 'tick':
    case 'start':
      return { kind: verb };
    default:
      throw new Error(`no such input: ${verb}`);
  }
}

const three: SagaPlan = { parts: [[step('a')], [step('b')], [step('c')]] };

describe('stepSaga', () => {
  test('one after another, to the end', () => {
    assert.deepEqual(transcript(three, ['1 ok a', '2 ok b', '3 ok c', '4 ok c']), [
      'running, act a 1',
      'running, act b 1',
      'running, act c 1',
      'completed',
      'completed',
    ]);
  });

  test('what fails is tried again when it is due; when it has failed for good, all is undone backwards', () => {
    const lines = [
      '1 ok a',
      '2 ok b',
      '3 fail c',
      '12 tick',
      '13 tick',
      '14 fail c',
      '15 undone c',
      '16 undone b',
      '17 undone a',
    ];
    assert.deepEqual(transcript(three, lines), [
      'running, act a 1',
      'running, act b 1',
      'running, act c 1',
      'running',
      'running',
      'running, act c 2',
      'compensating, undo c 1',
      'compensating, undo b 1',
      'compensating, undo a 1',
      'compensated',
    ]);
  });

  test('what provably did nothing is not undone', () => {
    assert.deepEqual(transcript(three, ['1 ok a', '2 bad b', '3 undone a']), [
      'running, act a 1',
      'running, act b 1',
      'compensating, undo a 1',
      'compensated',
    ]);
  });

  test('a compensation is tried until it holds; else it is parked, and never said to be compensated', () => {
    const lines = [
      '1 ok a',
      '2 bad b',
      '3 undo-fail a',
      '13 tick',
      '14 undo-fail a',
      '99 tick',
      '100 retry',
      '101 undone a',
    ];
    assert.deepEqual(transcript(three, lines), [
      'running, act a 1',
      'running, act b 1',
      'compensating, undo a 1',
      'compensating',
      'compensating, undo a 2',
      'parked',
      'parked',
      'compensating, undo a 1',
      'compensated',
    ]);
  });

  test('behind the pivot there is only forward', () => {
    const plan = { parts: [[step('a')], [step('pay', { pivot: true })], [step('c')]] };
    const lines = ['1 ok a', '2 ok pay', '3 bad c', '4 compensate', '5 retry', '6 bad c', '7 settle c'];
    assert.deepEqual(transcript(plan, lines), [
      'running, act a 1',
      'running, act pay 1',
      'running, act c 1',
      'parked',
      'parked',
      'running, act c 1',
      'parked',
      'completed',
    ]);
  });

  test('side by side: when one fails for good, the other is waited for and undone too', () => {
    const plan = { parts: [[step('a'), step('b')], [step('c')]] };
    assert.deepEqual(transcript(plan, ['1 bad a', '2 ok b', '3 undone b']), [
      'running, act a 1, act b 1',
      'compensating',
      'compensating, undo b 1',
      'compensated',
    ]);
  });

  test('an event is waited for, for so long', () => {
    const plan = {
      parts: [[step('a')], [step('ok', { kind: 'event', undoable: false, waitMs: 100 })], [step('c')]],
    };
    assert.deepEqual(transcript(plan, ['1 ok a', '50 tick', '90 event ok', '91 ok c']), [
      'running, act a 1',
      'running',
      'running',
      'running, act c 1',
      'completed',
    ]);
    assert.deepEqual(transcript(plan, ['1 ok a', '101 tick', '102 undone a']), [
      'running, act a 1',
      'running',
      'compensating, undo a 1',
      'compensated',
    ]);
  });

  test('the whole saga has its time until the pivot', () => {
    const plan = { ...three, timeoutMs: 50 };
    assert.deepEqual(transcript(plan, ['1 ok a', '50 tick', '60 ok b', '61 undone b', '62 undone a']), [
      'running, act a 1',
      'running, act b 1',
      'compensating',
      'compensating, undo b 1',
      'compensating, undo a 1',
      'compensated',
    ]);
  });

  test('after a crash, what was begun is begun again', () => {
    assert.deepEqual(transcript(three, ['1 ok a', '2 resume', '3 ok b']), [
      'running, act a 1',
      'running, act b 1',
      'running, act b 2',
      'running, act c 1',
    ]);
  });
});

/** The world: which steps have an effect at this moment. */
interface World {
  readonly effects: Set<string>;
}

test('whatever fails, repeats or crashes: it ends, and then all effects are there or none', () => {
  const plan: SagaPlan = {
    parts: [
      [step('a')],
      [step('b'), step('c', { undoable: true })],
      [step('p', { pivot: true })],
      [step('d')],
    ],
  };
  const outcome = fc.constantFrom('ok', 'ok', 'ok', 'lost', 'fail', 'bad', 'crash');
  fc.assert(
    fc.property(fc.infiniteStream(outcome), (outcomes) => {
      const world: World = { effects: new Set() };
      let now = 0;
      let { state, effects } = stepSaga(plan, newSaga(plan, now), { kind: 'start' }, now);
      const feed = (input: SagaInput): void => {
        const next = stepSaga(plan, state, input, now);
        state = next.state;
        effects = [...effects, ...next.effects];
      };
      for (let turn = 0; turn < 300 && !isEnded(state); turn += 1) {
        const [effect, ...others] = effects;
        effects = others;
        if (effect === undefined) {
          now = dueMs(plan, state) ?? now;
          feed({ kind: state.status === 'parked' ? 'retry' : 'tick' });
          continue;
        }
        const chance = turn > 200 ? 'ok' : outcomes.next().value;
        if (chance === 'crash') {
          effects = [];
          feed({ kind: 'resume' });
        } else feed(perform(world, effect, chance));
      }
      assert.ok(isEnded(state), JSON.stringify(state));
      const expected = state.status === 'completed' ? ['a', 'b', 'c', 'd', 'p'] : [];
      assert.deepEqual([...world.effects].toSorted(), expected);
    }),
    { numRuns: 500 },
  );
});

function isEnded({ status }: SagaState): boolean {
  return status === 'completed' || status === 'compensated';
}

/** `lost`: it is done, and the answer says that it is not known. */
function perform({ effects }: World, { kind, step: name }: SagaEffect, chance: string): SagaInput {
  const done = chance === 'ok' || chance === 'lost';
  if (kind === 'act') {
    if (done) effects.add(name);
    if (chance === 'ok') return { kind: 'succeeded', step: name, result: 1 };
    const retryable = chance !== 'bad';
    // What was done by an earlier attempt may be there, whatever this one says.
    return { kind: 'failed', step: name, failure, retryable, mayHaveHappened: true, delayMs: 5 };
  }
  if (done) effects.delete(name);
  return chance === 'ok'
    ? { kind: 'undone', step: name }
    : { kind: 'undo-failed', step: name, failure, delayMs: 5 };
}
