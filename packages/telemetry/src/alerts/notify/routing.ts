import type { InhibitRule, Route } from './notify-config.ts';
import type { HeldAlert, NotifyState, Silence } from './notify-state.ts';
import { type AlertLabels, meets } from './matcher.ts';

/** The routes that take an alert: the deepest that match, and with `continue` several of them. */
export function routesFor(route: Route, labels: AlertLabels): readonly Route[] {
  if (!meets(labels, route.matchers)) return [];
  const taken: Route[] = [];
  for (const each of route.routes) {
    const found = routesFor(each, labels);
    taken.push(...found);
    if (found.length > 0 && !each.continue) break;
  }
  return taken.length > 0 ? taken : [route];
}

/** The labels by which a route gathers an alert with others. */
export function groupLabelsOf({ groupBy }: Route, labels: AlertLabels): AlertLabels {
  if (groupBy === 'all') return labels;
  return Object.fromEntries(groupBy.flatMap((name) => (name in labels ? [[name, labels[name] ?? '']] : [])));
}

/** Ids of the silences that hold an alert back now. */
export function silencesOf(silences: NotifyState['silences'], labels: AlertLabels, nowMs: number): string[] {
  return Object.values(silences)
    .filter((each) => isActive(each, nowMs) && meets(labels, each.matchers))
    .map(({ id }) => id);
}

/** Whether a silence holds now. */
export function isActive({ startsAtMs, endsAtMs }: Silence, nowMs: number): boolean {
  return startsAtMs <= nowMs && nowMs < endsAtMs;
}

/** Fingerprints of the firing alerts for whose sake this one is not told. */
export function inhibitorsOf(
  rules: readonly InhibitRule[],
  alerts: NotifyState['alerts'],
  { fingerprint, labels }: Pick<HeldAlert, 'fingerprint' | 'labels'>,
  nowMs: number,
): string[] {
  const found = new Set<string>();
  for (const { source, target, equal } of rules) {
    if (!meets(labels, target)) continue;
    // Two alerts that are both on either side would hold back each other.
    const isBoth = meets(labels, source);
    for (const other of Object.values(alerts)) {
      if (other.fingerprint === fingerprint || other.endsAtMs <= nowMs || !meets(other.labels, source))
        continue;
      if (isBoth && meets(other.labels, target)) continue;
      if (equal.every((name) => (other.labels[name] ?? '') === (labels[name] ?? '')))
        found.add(other.fingerprint);
    }
  }
  return [...found];
}
