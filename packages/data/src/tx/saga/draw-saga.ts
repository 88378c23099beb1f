import type { SagaState, StepPhase, StepPlan } from './saga-state.ts';

const looks: Readonly<Record<string, string>> = {
  good: 'fill:#d3f9d8,stroke:#2b8a3e',
  busy: 'fill:#d0ebff,stroke:#1971c2',
  back: 'fill:#fff3bf,stroke:#e67700',
  bad: 'fill:#ffe3e3,stroke:#c92a2a',
};

const lookOf: Readonly<Record<StepPhase, keyof typeof looks>> = {
  acting: 'busy',
  retrying: 'busy',
  waiting: 'busy',
  done: 'good',
  skipped: 'good',
  failed: 'bad',
  undoing: 'back',
  'undo-retrying': 'back',
  undone: 'back',
};

/**
 * A saga as a flowchart of Mermaid: part after part, steps of one part side by side, a wait with round ends, the pivot as
 * a hexagon. With a `state`, what has come of each step. Without a `plan` the steps that the state knows, in their order.
 */
export function drawSaga({
  plan,
  state,
}: {
  readonly plan?: { readonly parts: readonly (readonly StepPlan[])[] };
  readonly state?: SagaState;
}): string {
  const parts = plan?.parts.map((part) => part.map(({ name }) => name)) ?? known(state);
  const planOf = new Map(plan?.parts.flat().map((step) => [step.name, step]));
  const ends = state === undefined ? 'end' : state.status;
  const boxes = parts.flat().map((name) => `  ${box(name, planOf.get(name), state?.steps[name]?.phase)}`);
  const ids = [...parts.map((part) => part.map(idOf).join(' & ')), `ending([${ends}])`];
  const used = new Set(parts.flat().flatMap((name) => lookOfStep(state, name) ?? []));
  const classes = [...used].map((look) => `  classDef ${look} ${looks[look]}`);
  return ['flowchart LR', ...boxes, `  ${ids.join(' --> ')}`, ...classes, ''].join('\n');
}

function known(state: SagaState | undefined): string[][] {
  return Object.keys(state?.steps ?? {}).map((name) => [name]);
}

function lookOfStep(state: SagaState | undefined, name: string): string | undefined {
  const phase = state?.steps[name]?.phase;
  return phase === undefined ? undefined : String(lookOf[phase]);
}

function box(name: string, plan: StepPlan | undefined, phase: StepPhase | undefined): string {
  const [open, close] = shapeOf(plan);
  const label = phase === undefined ? name : `${name}<br/>${phase}`;
  const look = phase === undefined ? '' : `:::${lookOf[phase]}`;
  return `${idOf(name)}${open}"${label}"${close}${look}`;
}

function shapeOf(plan: StepPlan | undefined): readonly [string, string] {
  if (plan?.pivot === true) return ['{{', '}}'];
  return plan?.kind === 'event' ? ['([', '])'] : ['[', ']'];
}

/** Names of steps may be words of Mermaid, as `end` is. */
function idOf(name: string): string {
  return `step-${name}`;
}
