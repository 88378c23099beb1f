import assert from 'node:assert/strict';
import test from 'node:test';
import { newRollout, type RolloutInput, type RolloutPlan, stepRollout } from './rollout.ts';
import { shiftWeights } from './shift-weights.ts';

const plan: RolloutPlan = {
  steps: [10, 50, 100],
  everyMs: 60_000,
  lookMs: 10_000,
  maxErrorPercent: 1,
  maxLatencyMs: 250,
  minCalls: 20,
};
const good: RolloutInput = { is: 'measured', calls: 100, errorPercent: 0.5, latencyMs: 90 };

/** Plays looks, ten seconds apart, until the end; gives what was done. */
function play(looks: (at: number) => RolloutInput, own: RolloutPlan = plan): readonly string[] {
  const done: string[] = [];
  let { state, effects } = stepRollout(own, newRollout(), { is: 'start' }, 0);
  for (let at = 1; at <= 1000; at++) {
    for (const effect of effects) {
      if (effect.do === 'shift') done.push(`${(at - 1) * 10}s ${effect.percent}%`);
      if (effect.do === 'end') done.push(`${effect.outcome}: ${effect.reason}`);
    }
    if (state.phase !== 'running') return done;
    ({ state, effects } = stepRollout(own, state, looks(at), at * own.lookMs));
  }
  throw new Error('it never ended');
}

test('steps that hold follow each other to the end', () => {
  assert.deepEqual(
    play(() => good),
    ['0s 10%', '60s 50%', '120s 100%', 'done: 100 % held'],
  );
});

test('a breach takes the change back at once', () => {
  assert.deepEqual(
    play((at) => (at < 8 ? good : { is: 'measured', calls: 100, errorPercent: 4.2, latencyMs: 90 })),
    ['0s 10%', '60s 50%', '80s 0%', 'taken-back: 4.2 % of the calls failed (at most 1 %) at 50 %'],
  );
  assert.deepEqual(
    play(() => ({ is: 'measured', calls: 100, errorPercent: 0, latencyMs: 251 })).at(-1),
    'taken-back: the latency was 251 ms (at most 250 ms) at 10 %',
  );
});

test('few calls say nothing: the step waits for more, and is taken back in the end', () => {
  const few: RolloutInput = { is: 'measured', calls: 3, errorPercent: 100, latencyMs: undefined };
  assert.deepEqual(play((at) => (at === 3 ? few : good))[1], '60s 50%');
  assert.deepEqual(
    play(() => few),
    ['0s 10%', '300s 0%', 'taken-back: only 3 calls in a look, 20 are needed to judge'],
  );
});

test('what cannot be seen goes no further: three looks without metrics take it back', () => {
  const blind: RolloutInput = { is: 'unmeasured', reason: 'refused' };
  assert.deepEqual(play((at) => (at % 3 === 0 ? good : blind)).at(-1), 'done: 100 % held');
  assert.deepEqual(
    play(() => blind),
    ['0s 10%', '30s 0%', 'taken-back: the metrics could not be had: refused'],
  );
});

test('stopped by hand it is taken back, and nothing happens after the end', () => {
  assert.deepEqual(
    play(() => ({ is: 'stop', reason: 'by hand' })),
    ['0s 10%', '10s 0%', 'taken-back: by hand'],
  );
  const ended = { ...newRollout(), phase: 'done' } as const;
  assert.deepEqual(stepRollout(plan, ended, good, 5).effects, []);
});

const file = `# shop
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web]
  http:
    - route: # the split
        - destination: {host: web, subset: v1}
          weight: 100
        - destination: {host: web, subset: v2}
---
kind: Other
`;

test('weights are written into the file, all else stays', () => {
  const text = shiftWeights(file, { name: 'web', namespace: 'shop', from: 'v1', to: 'v2' }, 20);
  assert.match(text, /weight: 80[\s\S]*subset: v2[\s\S]*weight: 20/);
  assert.match(text, /^# shop/);
  assert.match(text, /# the split/);
  assert.match(text, /---\nkind: Other/);
});

test('a split that is not there is told', () => {
  const shift = { name: 'web', namespace: 'shop', from: 'v1', to: 'v3' };
  assert.throws(() => shiftWeights(file, shift, 1), /sends to both subsets "v1" and "v3"/);
  assert.throws(
    () => shiftWeights(file, { ...shift, to: 'v2', namespace: 'other' }, 1),
    /NO_SUCH_SPLIT|sends to both/,
  );
});
