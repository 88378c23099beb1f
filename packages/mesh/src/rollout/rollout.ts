/** How a rollout goes, and what stops it. */
export interface RolloutPlan {
  /** Shares of the new version in percent, growing; the last one is where it ends. */
  readonly steps: readonly number[];
  /** How long each step must hold. */
  readonly everyMs: number;
  /** Between two looks at the metrics. */
  readonly lookMs: number;
  readonly maxErrorPercent: number;
  /** Undefined: latency is not judged. */
  readonly maxLatencyMs: number | undefined;
  /** Fewer calls than this in a look say nothing. */
  readonly minCalls: number;
}

/** Where a rollout stands. */
export interface RolloutState {
  readonly phase: 'running' | 'done' | 'taken-back';
  /** Index in `steps`. */
  readonly step: number;
  readonly sinceMs: number;
  /** Looks in a row that gave no metrics at all. */
  readonly blind: number;
}

/** What a look at the new version's metrics gave. */
export interface Measured {
  readonly calls: number;
  readonly errorPercent: number;
  /** Undefined where there is none, e.g. without calls. */
  readonly latencyMs: number | undefined;
}

/** What happens to a rollout. */
export type RolloutInput =
  | { readonly is: 'start' }
  | ({ readonly is: 'measured' } & Measured)
  /** The metrics could not be had. */
  | { readonly is: 'unmeasured'; readonly reason: string }
  | { readonly is: 'stop'; readonly reason: string };

/** What is to be done, in this order. */
export type RolloutEffect =
  /** The new version gets this share, the old one the rest. */
  | { readonly do: 'shift'; readonly percent: number }
  | { readonly do: 'look'; readonly afterMs: number }
  | { readonly do: 'end'; readonly outcome: 'done' | 'taken-back'; readonly reason: string };

/** The beginning. */
export function newRollout(): RolloutState {
  return { phase: 'running', step: 0, sinceMs: 0, blind: 0 };
}

const mostBlind = 3;
/** A step without enough calls to judge by waits this many times its length, and is taken back then. */
const patience = 5;

/**
 * One step of a rollout: moves on when a step has held, takes the change back on the first breach, and also when it
 * cannot be judged: what nobody can see must not go further. Nothing happens after the end.
 */
export function stepRollout(
  plan: RolloutPlan,
  state: RolloutState,
  input: RolloutInput,
  nowMs: number,
): { readonly state: RolloutState; readonly effects: readonly RolloutEffect[] } {
  if (state.phase !== 'running') return { state, effects: [] };
  switch (input.is) {
    case 'start':
      return shifted(plan, { ...state, sinceMs: nowMs });
    case 'stop':
      return takenBack(state, input.reason);
    case 'unmeasured': {
      const blind = state.blind + 1;
      if (blind >= mostBlind) return takenBack(state, `the metrics could not be had: ${input.reason}`);
      return { state: { ...state, blind }, effects: [{ do: 'look', afterMs: plan.lookMs }] };
    }
    case 'measured':
      return judged(plan, { ...state, blind: 0 }, input, nowMs);
  }
}

function judged(
  plan: RolloutPlan,
  state: RolloutState,
  measured: Measured,
  nowMs: number,
): ReturnType<typeof stepRollout> {
  const enough = measured.calls >= plan.minCalls;
  const breach = enough ? breachOf(plan, measured) : undefined;
  if (breach !== undefined) return takenBack(state, `${breach} at ${plan.steps[state.step]} %`);
  const heldMs = nowMs - state.sinceMs;
  if (heldMs < plan.everyMs || (!enough && heldMs < plan.everyMs * patience)) {
    return { state, effects: [{ do: 'look', afterMs: plan.lookMs }] };
  }
  if (!enough)
    return takenBack(state, `only ${measured.calls} calls in a look, ${plan.minCalls} are needed to judge`);
  if (state.step === plan.steps.length - 1) {
    const reason = `${plan.steps[state.step]} % held`;
    return { state: { ...state, phase: 'done' }, effects: [{ do: 'end', outcome: 'done', reason }] };
  }
  return shifted(plan, { ...state, step: state.step + 1, sinceMs: nowMs });
}

function breachOf(plan: RolloutPlan, { errorPercent, latencyMs }: Measured): string | undefined {
  if (errorPercent > plan.maxErrorPercent) {
    return `${round(errorPercent)} % of the calls failed (at most ${plan.maxErrorPercent} %)`;
  }
  if (plan.maxLatencyMs === undefined || latencyMs === undefined || latencyMs <= plan.maxLatencyMs)
    return undefined;
  return `the latency was ${round(latencyMs)} ms (at most ${plan.maxLatencyMs} ms)`;
}

function shifted(plan: RolloutPlan, state: RolloutState): ReturnType<typeof stepRollout> {
  const percent = plan.steps[state.step] ?? 0;
  return {
    state,
    effects: [
      { do: 'shift', percent },
      { do: 'look', afterMs: plan.lookMs },
    ],
  };
}

function takenBack(state: RolloutState, reason: string): ReturnType<typeof stepRollout> {
  return {
    state: { ...state, phase: 'taken-back' },
    effects: [
      { do: 'shift', percent: 0 },
      { do: 'end', outcome: 'taken-back', reason },
    ],
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
