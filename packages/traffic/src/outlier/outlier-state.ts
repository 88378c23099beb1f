/** Ejects who succeeds much less often than the others. */
export interface SuccessRateRule {
  /** With fewer instances that have enough calls, there is nothing to compare. */
  readonly minInstances: number;
  /** Calls in an interval that an instance must have. */
  readonly minCalls: number;
  /** Standard deviations below the mean success rate. */
  readonly deviations: number;
}

/** Ejects who is much slower than the others. */
export interface LatencyRule {
  readonly minInstances: number;
  readonly minCalls: number;
  /** Times the median of the instances' mean latencies. */
  readonly factor: number;
}

/** When an instance is ejected, and for how long. */
export interface OutlierRules {
  /** Failures in a row that eject at once. */
  readonly consecutiveFailures: number;
  /** How often instances are compared. */
  readonly intervalMs: number;
  /** The first ejection's length; the n-th in a row is n times as long. */
  readonly ejectMs: number;
  readonly maxEjectMs: number;
  /** Share of the instances that may be ejected at a time; one of several always may, and all never. */
  readonly maxEjectedShare: number;
  readonly successRate: SuccessRateRule | undefined;
  readonly latency: LatencyRule | undefined;
}

/** As Envoy's, with latency compared too. */
export const defaultOutlierRules: OutlierRules = {
  consecutiveFailures: 5,
  intervalMs: 10_000,
  ejectMs: 30_000,
  maxEjectMs: 300_000,
  maxEjectedShare: 0.1,
  successRate: { minInstances: 5, minCalls: 100, deviations: 1.9 },
  latency: { minInstances: 3, minCalls: 50, factor: 4 },
};

/** What one instance did in an interval. */
export interface Tally {
  readonly id: string;
  readonly calls: number;
  readonly failures: number;
  /** Of all calls together. */
  readonly totalMs: number;
}

/** An ejection. */
export interface Ejection {
  readonly untilMs: number;
  /** For people. */
  readonly why: string;
}

/** What is known: who is ejected, and how often each was lately. */
export interface OutlierState {
  readonly ejected: ReadonlyMap<string, Ejection>;
  readonly times: ReadonlyMap<string, number>;
}

/** Nobody is ejected. */
export const noOutliers: OutlierState = { ejected: new Map(), times: new Map() };

/** What can happen. `known`: how many instances there are, the ejected ones included. */
export type OutlierInput =
  | { readonly kind: 'failing'; readonly id: string; readonly failures: number; readonly known: number }
  | { readonly kind: 'interval'; readonly tallies: readonly Tally[]; readonly known: number }
  /** Somebody else who calls the same instances has ejected this one. */
  | (Told & { readonly kind: 'told'; readonly known: number })
  | { readonly kind: 'time' }
  | { readonly kind: 'gone'; readonly id: string };

/** What follows. */
export type OutlierEffect =
  | { readonly kind: 'ejected'; readonly id: string; readonly untilMs: number; readonly why: string }
  | { readonly kind: 'restored'; readonly id: string };

/** A step's result. */
export interface OutlierStep {
  readonly state: OutlierState;
  readonly effects: readonly OutlierEffect[];
}

/** What one input does. Pure. */
export function step(
  state: OutlierState,
  input: OutlierInput,
  nowMs: number,
  rules: OutlierRules,
): OutlierStep {
  const restored = restore(state, nowMs);
  switch (input.kind) {
    case 'time':
      return restored;
    case 'told':
      return told(restored, input, mostEjected(input.known, rules.maxEjectedShare));
    case 'gone':
      return { state: without(restored.state, input.id), effects: restored.effects };
    case 'failing': {
      const suspects = [{ id: input.id, why: `${input.failures} failures in a row` }];
      return eject(restored, suspects, input.known, nowMs, rules);
    }
    case 'interval': {
      const calmed = { ...restored, state: calm(restored.state) };
      const suspects = [...unsuccessful(input.tallies, rules), ...slow(input.tallies, rules)];
      return eject(calmed, suspects, input.known, nowMs, rules);
    }
  }
}

/**
 * Two who find out something at the same time may together have ejected more than may be. Then those are out whose ids
 * come first, which all agree about, in whatever order they are told.
 */
function told(before: OutlierStep, { id, untilMs, why }: Told, most: number): OutlierStep {
  if (before.state.ejected.has(id)) return before;
  const ejected = new Map(before.state.ejected).set(id, { untilMs, why });
  const effects = [...before.effects];
  if (ejected.size > most) {
    const last = [...ejected.keys()].toSorted().at(-1) as string;
    if (last === id) return before;
    ejected.delete(last);
    effects.push({ kind: 'restored', id: last });
  }
  const times = new Map(before.state.times).set(id, (before.state.times.get(id) ?? 0) + 1);
  effects.push({ kind: 'ejected', id, untilMs, why });
  return { state: { ejected, times }, effects };
}

/** How many may be ejected together. */
export function mostEjected(known: number, maxEjectedShare: number): number {
  return Math.max(0, Math.min(known - 1, Math.max(1, Math.floor(known * maxEjectedShare))));
}

interface Suspect {
  readonly id: string;
  readonly why: string;
}

interface Told extends Suspect {
  readonly untilMs: number;
}

function eject(
  before: OutlierStep,
  suspects: readonly Suspect[],
  known: number,
  nowMs: number,
  rules: OutlierRules,
): OutlierStep {
  const ejected = new Map(before.state.ejected);
  const times = new Map(before.state.times);
  const effects = [...before.effects];
  for (const { id, why } of suspects) {
    if (ejected.has(id) || ejected.size >= mostEjected(known, rules.maxEjectedShare)) continue;
    const time = (times.get(id) ?? 0) + 1;
    const untilMs = nowMs + Math.min(rules.maxEjectMs, rules.ejectMs * time);
    times.set(id, time);
    ejected.set(id, { untilMs, why });
    effects.push({ kind: 'ejected', id, untilMs, why });
  }
  return { state: { ejected, times }, effects };
}

function restore(state: OutlierState, nowMs: number): OutlierStep {
  const due = [...state.ejected].filter(([, { untilMs }]) => untilMs <= nowMs).map(([id]) => id);
  if (due.length === 0) return { state, effects: [] };
  const ejected = new Map(state.ejected);
  for (const id of due) ejected.delete(id);
  return { state: { ...state, ejected }, effects: due.map((id) => ({ kind: 'restored', id })) };
}

/** An interval in which an instance was not out makes its next ejection shorter again. */
function calm(state: OutlierState): OutlierState {
  const times = new Map<string, number>();
  for (const [id, count] of state.times) {
    const left = state.ejected.has(id) ? count : count - 1;
    if (left > 0) times.set(id, left);
  }
  return { ...state, times };
}

function without(state: OutlierState, id: string): OutlierState {
  const ejected = new Map(state.ejected);
  const times = new Map(state.times);
  ejected.delete(id);
  times.delete(id);
  return { ejected, times };
}

function unsuccessful(tallies: readonly Tally[], { successRate }: OutlierRules): Suspect[] {
  if (successRate === undefined) return [];
  const judged = tallies.filter(({ calls }) => calls >= successRate.minCalls);
  if (judged.length < successRate.minInstances) return [];
  const rates = judged.map(({ calls, failures }) => 1 - failures / calls);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  const least = mean - successRate.deviations * Math.sqrt(variance);
  return judged.flatMap(({ id }, index) => {
    const rate = rates[index] as number;
    if (rate >= least - 1e-9) return [];
    return [{ id, why: `success rate ${percent(rate)} % where the mean is ${percent(mean)} %` }];
  });
}

function slow(tallies: readonly Tally[], { latency }: OutlierRules): Suspect[] {
  if (latency === undefined) return [];
  const judged = tallies.filter(({ calls }) => calls >= latency.minCalls);
  if (judged.length < latency.minInstances) return [];
  const means = judged.map(({ totalMs, calls }) => totalMs / calls);
  const median = means.toSorted((a, b) => a - b)[means.length >> 1] as number;
  return judged.flatMap(({ id }, index) => {
    const mean = means[index] as number;
    if (mean <= latency.factor * median) return [];
    return [{ id, why: `${mean.toFixed(1)} ms a call where the median is ${median.toFixed(1)} ms` }];
  });
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}
