import { Labels } from '../../promql/labels.ts';
import type { AlertLabels } from '../notify/matcher.ts';
import type { AlertRule } from './rule.ts';

/** How long a resolved alert is remembered, so that everybody hears of it. */
export const resolvedKeptMs = 900_000;

/** An alert of a rule. `inactive` are those that are not there. Times in milliseconds since 1970. */
export interface ActiveAlert {
  readonly labels: AlertLabels;
  readonly annotations: AlertLabels;
  readonly state: 'pending' | 'firing' | 'resolved';
  /** The newest that was found. */
  readonly value: number;
  /** Since when the expression has held. */
  readonly activeAtMs: number;
  readonly firedAtMs?: number;
  /** Since when it no longer holds, while it is kept firing. */
  readonly endedAtMs?: number;
  readonly resolvedAtMs?: number;
}

/** The alerts of one rule, by their labels. */
export type RuleState = Readonly<Record<string, ActiveAlert>>;

/** A series that a rule's expression has given. */
export interface FoundSeries {
  readonly labels: AlertLabels;
  readonly value: number;
}

type Timing = Pick<AlertRule, 'forMs' | 'keepFiringMs'>;
type Found = Pick<ActiveAlert, 'labels' | 'annotations' | 'value'>;

/**
 * What an evaluation has come to: `found` is all that holds at `nowMs`. Pure. An evaluation that failed is no step: what
 * was stays.
 */
export function stepRule(
  timing: Timing,
  state: RuleState,
  found: readonly Found[],
  nowMs: number,
): RuleState {
  const next: Record<string, ActiveAlert> = {};
  for (const each of found) {
    const key = Labels.of(each.labels).key;
    next[key] = held(state[key], each, timing, nowMs);
  }
  for (const [key, before] of Object.entries(state)) {
    if (Object.hasOwn(next, key)) continue;
    const after = ended(before, timing, nowMs);
    if (after !== undefined) next[key] = after;
  }
  return next;
}

function held(before: ActiveAlert | undefined, found: Found, { forMs }: Timing, nowMs: number): ActiveAlert {
  const isNew = before === undefined || before.state === 'resolved';
  const activeAtMs = isNew ? nowMs : before.activeAtMs;
  const { labels, annotations, value } = found;
  const firedAtMs =
    (isNew ? undefined : before.firedAtMs) ?? (nowMs - activeAtMs >= forMs ? nowMs : undefined);
  if (firedAtMs === undefined) return { labels, annotations, value, activeAtMs, state: 'pending' };
  return { labels, annotations, value, activeAtMs, firedAtMs, state: 'firing' };
}

/** Undefined: it is inactive, and forgotten. */
function ended(before: ActiveAlert, { keepFiringMs }: Timing, nowMs: number): ActiveAlert | undefined {
  if (before.state === 'pending') return undefined;
  if (before.state === 'resolved')
    return nowMs - (before.resolvedAtMs ?? nowMs) < resolvedKeptMs ? before : undefined;
  const endedAtMs = before.endedAtMs ?? nowMs;
  if (nowMs - endedAtMs < keepFiringMs) return { ...before, endedAtMs };
  return { ...before, state: 'resolved', resolvedAtMs: nowMs };
}

/** Labels and annotations of a series' alert, with the templates filled in. */
export function alertOf(rule: AlertRule, { labels: series, value }: FoundSeries): Found {
  const { __name__: _name, ...labels } = series;
  const data = { labels, value };
  const filled = (templates: AlertRule['labels']): AlertLabels => {
    const entries = Object.entries(templates).map(([name, each]) => [name, each.render(data)] as const);
    return Object.fromEntries(entries.filter(([, text]) => text !== ''));
  };
  return {
    labels: { ...labels, ...filled(rule.labels), alertname: rule.name },
    annotations: filled(rule.annotations),
    value,
  };
}
