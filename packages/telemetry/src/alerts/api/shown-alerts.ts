import type { AlertEngine } from '../alert-engine.ts';
import { type LabelMatcher, meets } from '../notify/matcher.ts';
import type { HeldAlert } from '../notify/notify-state.ts';
import { groupLabelsOf, inhibitorsOf, routesFor, silencesOf } from '../notify/routing.ts';

/** Which alerts are wanted. */
export interface AlertFilter {
  readonly matchers: readonly LabelMatcher[];
  readonly receiver?: string | undefined;
  readonly active: boolean;
  readonly silenced: boolean;
  readonly inhibited: boolean;
}

/** Alerts that fire, as Alertmanager's API shows them. */
export function shownAlerts(engine: AlertEngine, filter: AlertFilter): readonly object[] {
  return found(engine, filter).map((alert) => shown(engine, alert));
}

/** The same by the groups in which people are told of them. */
export function shownGroups(engine: AlertEngine, filter: AlertFilter): readonly object[] {
  const groups = new Map<string, { labels: object; receiver: object; alerts: object[] }>();
  for (const alert of found(engine, filter))
    for (const route of routesFor(engine.config.route, alert.labels)) {
      const labels = groupLabelsOf(route, alert.labels);
      const key = `${route.id} ${JSON.stringify(labels)}`;
      const group = groups.get(key) ?? { labels, receiver: { name: route.receiver }, alerts: [] };
      group.alerts.push(shown(engine, alert));
      groups.set(key, group);
    }
  return [...groups.values()];
}

function found({ notify, config, nowMs }: AlertEngine, filter: AlertFilter): readonly HeldAlert[] {
  return Object.values(notify.alerts)
    .filter((alert) => {
      if (alert.endsAtMs <= nowMs || !meets(alert.labels, filter.matchers)) return false;
      const isSilenced = silencesOf(notify.silences, alert.labels, nowMs).length > 0;
      const isInhibited = inhibitorsOf(config.inhibitRules, notify.alerts, alert, nowMs).length > 0;
      if ((isSilenced && !filter.silenced) || (isInhibited && !filter.inhibited)) return false;
      if (!isSilenced && !isInhibited && !filter.active) return false;
      const receivers = routesFor(config.route, alert.labels).map(({ receiver }) => receiver);
      return filter.receiver === undefined || receivers.includes(filter.receiver);
    })
    .toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

function shown({ notify, config, nowMs }: AlertEngine, alert: HeldAlert): object {
  const silencedBy = silencesOf(notify.silences, alert.labels, nowMs);
  const inhibitedBy = inhibitorsOf(config.inhibitRules, notify.alerts, alert, nowMs);
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    fingerprint: alert.fingerprint,
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: time(alert.startsAtMs),
    endsAt: time(alert.endsAtMs),
    updatedAt: time(alert.updatedAtMs),
    generatorURL: alert.generatorUrl,
    receivers: routesFor(config.route, alert.labels).map(({ receiver }) => ({ name: receiver })),
    status: {
      state: silencedBy.length + inhibitedBy.length > 0 ? 'suppressed' : 'active',
      silencedBy,
      inhibitedBy,
    },
  };
}
