import { type AlertLabels, fingerprintOf } from './matcher.ts';
import type { NotifyConfig, Receiver, Route } from './notify-config.ts';
import {
  type AlertGroup,
  type ChannelLog,
  type Delivery,
  type HeldAlert,
  type NotifiedAlert,
  type NotifyState,
  type Silence,
} from './notify-state.ts';
import { groupLabelsOf, inhibitorsOf, routesFor, silencesOf } from './routing.ts';

/** How long silences that have ended are kept, to be looked at. */
const silenceKeptMs = 5 * 86_400_000;
const firstRetryMs = 1000;
const lastRetryMs = 300_000;

/** What somebody says of an alert. `endsAtMs`: when it ends unless it is said again; in the past: it has ended. */
export interface SaidAlert {
  readonly labels: AlertLabels;
  readonly annotations: AlertLabels;
  readonly startsAtMs?: number | undefined;
  readonly endsAtMs?: number | undefined;
  readonly generatorUrl: string;
}

/** What can happen to the notifier. */
export type NotifyInput =
  | { readonly kind: 'alerts'; readonly alerts: readonly SaidAlert[] }
  | { readonly kind: 'silence'; readonly silence: Silence }
  | { readonly kind: 'expire'; readonly id: string }
  | { readonly kind: 'delivered'; readonly delivery: Delivery }
  | { readonly kind: 'failed'; readonly delivery: Delivery; readonly problem: string }
  | { readonly kind: 'tick' };

/** What has come of it. */
export interface NotifyStep {
  readonly state: NotifyState;
  /** To be sent when the state is safe. */
  readonly deliveries: readonly Delivery[];
}

/**
 * Gathers alerts into groups, holds silenced and inhibited ones back, and says who is to be told what and when, as
 * Alertmanager does it. Pure. A notification counts when `delivered` says so; one that `failed` is tried again, with what is
 * then to be said, and an alert that a channel is owed is told even when it has ended meanwhile.
 */
export function stepNotify(
  config: NotifyConfig,
  state: NotifyState,
  input: NotifyInput,
  nowMs: number,
): NotifyStep {
  switch (input.kind) {
    case 'alerts':
      return { state: taken(config, state, input.alerts, nowMs), deliveries: [] };
    case 'silence': {
      const { silence } = input;
      return { state: { ...state, silences: { ...state.silences, [silence.id]: silence } }, deliveries: [] };
    }
    case 'expire': {
      const known = state.silences[input.id];
      if (known === undefined || known.endsAtMs <= nowMs) return { state, deliveries: [] };
      const startsAtMs = Math.min(known.startsAtMs, nowMs);
      const silence = { ...known, startsAtMs, endsAtMs: nowMs, updatedAtMs: nowMs };
      return { state: { ...state, silences: { ...state.silences, [input.id]: silence } }, deliveries: [] };
    }
    case 'delivered':
    case 'failed':
      return { state: heardOf(state, input, nowMs), deliveries: [] };
    case 'tick':
      return flushed(config, state, nowMs);
  }
}

/** When the next tick is worth while; undefined: not before something else happens. */
export function nextTickMs({ groups }: NotifyState): number | undefined {
  let next = Number.POSITIVE_INFINITY;
  for (const group of Object.values(groups)) {
    next = Math.min(next, group.flushAtMs);
    for (const { retryAtMs } of Object.values(group.channels)) next = Math.min(next, retryAtMs ?? next);
  }
  return Number.isFinite(next) ? next : undefined;
}

/**
 * What was on its way when a process died may have arrived or not: it is sent again. To be told twice is better than not at all.
 */
export function afterRestart(state: NotifyState, nowMs: number): NotifyState {
  const groups = Object.values(state.groups).map((group) => {
    const channels = Object.entries(group.channels).map(([at, { underWay, ...log }]) => {
      const owed = underWay === true ? [...new Set([...log.owed, ...group.fingerprints])] : log.owed;
      return [at, { ...log, owed, ...(underWay === true && { retryAtMs: nowMs }) }] as const;
    });
    return [group.key, { ...group, channels: Object.fromEntries(channels) }] as const;
  });
  return { ...state, groups: Object.fromEntries(groups) };
}

function taken(
  config: NotifyConfig,
  state: NotifyState,
  said: readonly SaidAlert[],
  nowMs: number,
): NotifyState {
  const alerts: Record<string, HeldAlert> = { ...state.alerts };
  const groups: Record<string, AlertGroup> = { ...state.groups };
  for (const each of said) {
    const held = heldAlert(each, alerts, config.resolveTimeoutMs, nowMs);
    // Nobody was told that it began.
    if (held.endsAtMs <= nowMs && alerts[held.fingerprint] === undefined) continue;
    alerts[held.fingerprint] = held;
    for (const route of routesFor(config.route, held.labels)) join(groups, route, held, nowMs);
  }
  return { ...state, alerts, groups };
}

function heldAlert(
  { labels, annotations, startsAtMs, endsAtMs, generatorUrl }: SaidAlert,
  alerts: NotifyState['alerts'],
  resolveTimeoutMs: number,
  nowMs: number,
): HeldAlert {
  const fingerprint = fingerprintOf(labels);
  const known = alerts[fingerprint];
  const goesOn = known !== undefined && known.endsAtMs > nowMs ? known.startsAtMs : undefined;
  const ended = endsAtMs !== undefined && endsAtMs <= nowMs ? known?.startsAtMs : undefined;
  const began = startsAtMs ?? goesOn ?? ended ?? Math.min(nowMs, endsAtMs ?? nowMs);
  return {
    fingerprint,
    labels,
    annotations,
    startsAtMs: goesOn === undefined ? began : Math.min(began, goesOn),
    endsAtMs: endsAtMs ?? nowMs + resolveTimeoutMs,
    updatedAtMs: nowMs,
    generatorUrl,
  };
}

function join(
  groups: Record<string, AlertGroup>,
  route: Route,
  { fingerprint, labels }: HeldAlert,
  nowMs: number,
): void {
  const groupLabels = groupLabelsOf(route, labels);
  const key = `${route.id}:${JSON.stringify(Object.entries(groupLabels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
  const group = groups[key] ?? {
    key,
    routeId: route.id,
    receiver: route.receiver,
    labels: groupLabels,
    fingerprints: [],
    flushAtMs: nowMs + route.groupWaitMs,
    channels: {},
  };
  const isKnown = group.fingerprints.includes(fingerprint);
  groups[key] = isKnown ? group : { ...group, fingerprints: [...group.fingerprints, fingerprint] };
}

function heardOf(
  state: NotifyState,
  input: Extract<NotifyInput, { kind: 'delivered' | 'failed' }>,
  nowMs: number,
): NotifyState {
  const { group: key, channel, notification } = input.delivery;
  const group = state.groups[key];
  if (group === undefined) return state;
  const of = (status: string): string[] =>
    notification.alerts.filter((each) => each.status === status).map(({ fingerprint }) => fingerprint);
  const before = group.channels[channel] ?? unheard;
  let log: ChannelLog;
  if (input.kind === 'delivered')
    log = { firing: of('firing'), resolved: of('resolved'), atMs: nowMs, owed: [], failures: 0, problem: '' };
  else {
    const failures = before.failures + 1;
    const pauseMs = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 20));
    const owed = [...new Set([...before.owed, ...of('firing'), ...of('resolved')])];
    const { underWay: _underWay, ...rest } = before;
    log = { ...rest, owed, failures, problem: input.problem, retryAtMs: nowMs + pauseMs };
  }
  const groups = { ...state.groups, [key]: { ...group, channels: { ...group.channels, [channel]: log } } };
  return { ...state, groups };
}

const unheard: ChannelLog = { firing: [], resolved: [], atMs: 0, owed: [], failures: 0, problem: '' };

function flushed(config: NotifyConfig, state: NotifyState, nowMs: number): NotifyStep {
  const groups: Record<string, AlertGroup> = {};
  const deliveries: Delivery[] = [];
  for (const group of Object.values(state.groups)) {
    const route = routeOf(config.route, group.routeId);
    const receiver = config.receivers.find(({ name }) => name === group.receiver);
    // The configuration has changed: its alerts go where they are to go now as soon as they are told of again.
    if (route === undefined || receiver === undefined || route.receiver !== group.receiver) continue;
    const after = flushGroup({ config, state, route, receiver, nowMs }, group, deliveries);
    if (after.fingerprints.length > 0) groups[group.key] = after;
  }
  const inUse = new Set(Object.values(groups).flatMap(({ fingerprints }) => fingerprints));
  const alerts = Object.values(state.alerts).filter(
    ({ fingerprint, endsAtMs }) => endsAtMs > nowMs || inUse.has(fingerprint),
  );
  const silences = Object.values(state.silences).filter(({ endsAtMs }) => nowMs - endsAtMs < silenceKeptMs);
  const byKey = <T>(all: readonly T[], key: (each: T) => string): Record<string, T> =>
    Object.fromEntries(all.map((each) => [key(each), each] as const));
  return {
    state: {
      alerts: byKey(alerts, (each) => each.fingerprint),
      groups,
      silences: byKey(silences, ({ id }) => id),
    },
    deliveries,
  };
}

interface Flush {
  readonly config: NotifyConfig;
  readonly state: NotifyState;
  readonly route: Route;
  readonly receiver: Receiver;
  readonly nowMs: number;
}

function flushGroup(flush: Flush, group: AlertGroup, deliveries: Delivery[]): AlertGroup {
  const { state, route, receiver, nowMs } = flush;
  const isDue = group.flushAtMs <= nowMs;
  const held = group.fingerprints.map((each) => state.alerts[each]).filter((each) => each !== undefined);
  const told = isDue || hasRetry(group, nowMs) ? held.filter((each) => !isHeldBack(flush, each)) : [];
  const channels: Record<number, ChannelLog> = { ...group.channels };
  for (const [channel, { sendResolved }] of receiver.channels.entries()) {
    const log = group.channels[channel] ?? unheard;
    const { retryAtMs, ...rest } = log;
    if (log.underWay === true || (retryAtMs === undefined ? !isDue : retryAtMs > nowMs)) continue;
    const alerts = alertsFor(log, told, sendResolved, nowMs);
    const isRetry = retryAtMs !== undefined;
    if (isRetry ? alerts.length > 0 : isNews(log, alerts, route.repeatIntervalMs, nowMs)) {
      deliveries.push({ group: group.key, channel, notification: notificationOf(group, alerts) });
      channels[channel] = { ...rest, underWay: true };
    } else if (isRetry) {
      // What it was owed is silenced by now: there is nothing left to say.
      channels[channel] = { ...rest, owed: [], failures: 0, problem: '' };
    }
  }
  const fingerprints = isDue
    ? group.fingerprints.filter((each) => isNeeded(state.alerts[each], channels, nowMs))
    : group.fingerprints;
  const flushAtMs = isDue ? nowMs + route.groupIntervalMs : group.flushAtMs;
  return { ...group, fingerprints, channels, flushAtMs };
}

function hasRetry({ channels }: AlertGroup, nowMs: number): boolean {
  return Object.values(channels).some(({ retryAtMs }) => retryAtMs !== undefined && retryAtMs <= nowMs);
}

function isHeldBack({ config, state, nowMs }: Flush, alert: HeldAlert): boolean {
  if (silencesOf(state.silences, alert.labels, nowMs).length > 0) return true;
  return inhibitorsOf(config.inhibitRules, state.alerts, alert, nowMs).length > 0;
}

/** What a channel would be told: all that fire, and those that have ended where it wants them or is owed them. */
function alertsFor(
  { firing, owed }: ChannelLog,
  told: readonly HeldAlert[],
  sendResolved: boolean,
  nowMs: number,
): readonly NotifiedAlert[] {
  return told.flatMap((alert): NotifiedAlert[] => {
    if (alert.endsAtMs > nowMs) return [{ ...alert, status: 'firing' }];
    const { fingerprint } = alert;
    const isWanted = owed.includes(fingerprint) || (sendResolved && firing.includes(fingerprint));
    return isWanted ? [{ ...alert, status: 'resolved' }] : [];
  });
}

/** Whether a notification would say something that the channel has not heard, or not for long. */
function isNews(log: ChannelLog, alerts: readonly NotifiedAlert[], repeatMs: number, nowMs: number): boolean {
  if (alerts.length === 0) return false;
  const isNew = alerts.some(({ status, fingerprint }) =>
    status === 'firing' ? !log.firing.includes(fingerprint) : !log.resolved.includes(fingerprint),
  );
  return isNew || (alerts.some(({ status }) => status === 'firing') && nowMs - log.atMs >= repeatMs);
}

/** An alert leaves its group when it has ended and nobody is to hear of it any more. */
function isNeeded(
  alert: HeldAlert | undefined,
  channels: Readonly<Record<number, ChannelLog>>,
  nowMs: number,
): boolean {
  if (alert === undefined || alert.endsAtMs > nowMs) return alert !== undefined;
  return Object.values(channels).some(
    ({ underWay, owed }) => underWay === true || owed.includes(alert.fingerprint),
  );
}

function notificationOf(
  { key, receiver, labels }: AlertGroup,
  alerts: readonly NotifiedAlert[],
): Delivery['notification'] {
  return {
    receiver,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    groupKey: key,
    groupLabels: labels,
    commonLabels: common(alerts.map((each) => each.labels)),
    commonAnnotations: common(alerts.map((each) => each.annotations)),
    alerts,
  };
}

function common([first, ...others]: readonly AlertLabels[]): AlertLabels {
  const entries = Object.entries(first ?? {});
  return Object.fromEntries(entries.filter(([name, value]) => others.every((each) => each[name] === value)));
}

function routeOf(route: Route, id: string): Route | undefined {
  if (route.id === id) return route;
  for (const each of route.routes) {
    const found = routeOf(each, id);
    if (found !== undefined) return found;
  }
  return undefined;
}
