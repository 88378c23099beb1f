import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saga } from './definition.ts';
import { drawSaga } from './draw-saga.ts';
import { newSaga, stepSaga } from './step-saga.ts';

const { plan } = saga<object>('checkout')
  .step('reserve', { run: async () => 1, undo: async () => {} })
  .parallel({ pack: { run: async () => 1 }, end: { run: async () => 1 } })
  .wait('approve')
  .step('pay', { run: async () => 1, pivot: true })
  .build();

test('a definition is drawn part after part', () => {
  assert.equal(
    drawSaga({ plan }),
    `flowchart LR
  step-reserve["reserve"]
  step-pack["pack"]
  step-end["end"]
  step-approve(["approve"])
  step-pay{{"pay"}}
  step-reserve --> step-pack & step-end --> step-approve --> step-pay --> ending([end])
`,
  );
});

test('with what has come of each step, with its plan or without', () => {
  const { state } = stepSaga(plan, newSaga(plan, 0), { kind: 'start' }, 0);
  const next = stepSaga(plan, state, { kind: 'succeeded', step: 'reserve', result: 1 }, 0).state;
  const drawn = drawSaga({ plan, state: next });
  assert.match(drawn, /step-reserve\["reserve<br\/>done"\]:::good\n/);
  assert.match(drawn, /step-end\["end<br\/>acting"\]:::busy\n {2}step-approve\(\["approve"\]\)\n/);
  assert.match(drawn, /ending\(\[running\]\)\n {2}classDef good .*\n {2}classDef busy .*\n$/);
  assert.match(drawSaga({ state: next }), /step-reserve --> step-pack --> step-end --> ending/);
});
