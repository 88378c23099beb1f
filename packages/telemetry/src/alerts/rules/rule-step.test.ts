import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RuleState, resolvedKeptMs, stepRule } from './rule-step.ts';

const found = [{ labels: { alertname: 'A', job: 'order' }, annotations: {}, value: 7 }];
const minute = 60_000;

/** The state of the one alert at each evaluation, a minute apart: `x` where the expression held. */
function story(holds: string, forMs: number, keepFiringMs = 0): string {
  let state: RuleState = {};
  return holds
    .split('')
    .map((each, at) => {
      state = stepRule({ forMs, keepFiringMs }, state, each === 'x' ? found : [], at * minute);
      const [alert] = Object.values(state);
      return (alert?.state ?? 'inactive').charAt(0);
    })
    .join('');
}

test('an alert fires when it has held for its duration, and not on the first sample', () => {
  assert.equal(story('.xxxxxx', 5 * minute), 'ipppppf');
});

test('without a duration it fires at once', () => {
  assert.equal(story('.x', 0), 'if');
});

test('an alert that stops holding before its duration begins anew', () => {
  assert.equal(story('xxxx.xxxxxx', 5 * minute), 'ppppipppppf');
});

test('it is resolved when it no longer holds, and forgotten a quarter of an hour later', () => {
  assert.equal(story(`x${'.'.repeat(17)}`, 0), `f${'r'.repeat(15)}ii`);
  assert.equal(resolvedKeptMs, 15 * minute);
});

test('an alert that was resolved waits for its duration again', () => {
  assert.equal(story('xxx.xxx', 2 * minute), 'ppfrppf');
});

test('it is kept firing for as long as the rule says', () => {
  assert.equal(story('x....x..', 0, 3 * minute), 'ffffrfff');
});

test('whatever happens, an alert fires only after its duration', () => {
  const evaluations = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(evaluations, fc.integer({ min: 0, max: 10 }), (holds, duration) => {
      let state: RuleState = {};
      let since = -1;
      for (const [at, each] of holds.entries()) {
        since = each ? (since < 0 ? at : since) : -1;
        state = stepRule({ forMs: duration, keepFiringMs: 0 }, state, each ? found : [], at);
        const isFiring = Object.values(state).some((alert) => alert.state === 'firing');
        assert.equal(isFiring, since >= 0 && at - since >= duration);
      }
    }),
  );
});
