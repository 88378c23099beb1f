import type { AdsGroup, AdsProtocol, AdsPush, AdsStream } from './ads-stream.ts';
import { flush } from './flush.ts';
import { noQuarantine, refusing, type Refused, stillRefused } from './quarantine.ts';
import { isWhole, noResources, type Snapshot, type XdsResource, type XdsType } from './resource.ts';
import { SpreadMap } from './spread-map.ts';
import {
  noSubscription,
  type Subscription,
  withNames,
  withNamesChanged,
  withSharedNames,
} from './subscription.ts';

/** What a control plane knows of its proxies. A value. */
export interface AdsState {
  readonly streams: SpreadMap<AdsStream>;
  readonly groups: ReadonlyMap<string, AdsGroup>;
  /** Snapshots that wait until the rules are quiet, by group. */
  readonly waiting: ReadonlyMap<string, Snapshot>;
  /** When they are pushed, and when at the latest. */
  readonly due: { readonly atMs: number; readonly latestMs: number } | undefined;
  /** When changes were pushed last. */
  readonly pushedMs: number;
}

/** Nobody is there. */
export const noStreams: AdsState = {
  streams: new SpreadMap(),
  groups: new Map(),
  waiting: new Map(),
  due: undefined,
  pushedMs: Number.NEGATIVE_INFINITY,
};

/** How long changes are gathered. The first one after a quiet time goes out at once: of most, there is just one. */
export interface AdsRules {
  /** What follows goes out when nothing has changed for so long … */
  readonly quietMs: number;
  /** … and at the latest so long after the first change. */
  readonly latestMs: number;
}

/** Half of what Istio waits at least: our models are made in milliseconds. */
export const defaultAdsRules: AdsRules = { quietMs: 20, latestMs: 500 };

/** What a proxy says: of both protocols, what either has. */
export interface AdsRequest {
  readonly type: XdsType;
  readonly nonce: string;
  /** Why it does not take what the nonce names. */
  readonly error: string | undefined;
  /** State of the world: all that is wanted. */
  readonly names: readonly string[];
  /** Delta. */
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Delta, first request of a stream: what the proxy has from before, by name. */
  readonly initial: ReadonlyMap<string, string>;
}

/** What can happen. */
export type AdsInput =
  | {
      readonly kind: 'connected';
      readonly stream: string;
      readonly protocol: AdsProtocol;
      readonly node: string;
      readonly group: string;
    }
  | { readonly kind: 'disconnected'; readonly stream: string }
  | { readonly kind: 'request'; readonly stream: string; readonly request: AdsRequest }
  /** What groups are to have from now on. */
  | { readonly kind: 'snapshots'; readonly snapshots: ReadonlyMap<string, Snapshot> }
  /** Nobody is in these groups any more. */
  | { readonly kind: 'forgotten'; readonly groups: readonly string[] }
  | { readonly kind: 'time' };

/** What follows. */
export type AdsEffect =
  | ({ readonly kind: 'push' } & AdsPush)
  | { readonly kind: 'refused'; readonly group: string; readonly refused: Refused }
  /** Tell `time` then. */
  | { readonly kind: 'wake'; readonly atMs: number };

/** A step's outcome. */
export interface AdsStep {
  readonly state: AdsState;
  readonly effects: readonly AdsEffect[];
}

/** The control plane's side of the protocol. Pure; `nowMs` is a monotonic clock's. */
export function step(
  state: AdsState,
  input: AdsInput,
  nowMs: number,
  rules: AdsRules = defaultAdsRules,
): AdsStep {
  switch (input.kind) {
    case 'connected':
      return connected(state, input);
    case 'disconnected':
      return { state: { ...state, streams: state.streams.without(input.stream) }, effects: [] };
    case 'request':
      return requested(state, input.stream, input.request);
    case 'snapshots':
      return changed(state, input.snapshots, nowMs, rules);
    case 'forgotten':
      return forgotten(state, input.groups);
    case 'time':
      return timePassed(state, nowMs);
  }
}

function connected(state: AdsState, input: AdsInput & { readonly kind: 'connected' }): AdsStep {
  const { stream: id, protocol, node, group } = input;
  const stream: AdsStream = {
    id,
    protocol,
    node,
    group,
    subscriptions: new Map(),
    pushes: 0,
    refusal: undefined,
  };
  return { state: { ...state, streams: state.streams.with(id, stream) }, effects: [] };
}

/** A timer may be a trifle early by another clock: then it is set again. */
function timePassed(state: AdsState, nowMs: number): AdsStep {
  if (state.due === undefined) return { state, effects: [] };
  if (nowMs < state.due.atMs) return { state, effects: [{ kind: 'wake', atMs: state.due.atMs }] };
  return pushed({ ...state, waiting: new Map(), due: undefined, pushedMs: nowMs }, state.waiting);
}

/** What groups have for the first time is sent at once; what they have already changes when the rules are quiet. */
function changed(
  state: AdsState,
  snapshots: ReadonlyMap<string, Snapshot>,
  nowMs: number,
  rules: AdsRules,
): AdsStep {
  const first = new Map([...snapshots].filter(([group]) => !state.groups.has(group)));
  const begun = first.size === 0 ? { state, effects: [] } : pushed(state, first);
  const rest = [...snapshots].filter(([group]) => !first.has(group));
  if (rest.length === 0) return begun;
  if (state.due === undefined && nowMs - state.pushedMs >= rules.quietMs) {
    const all = pushed({ ...begun.state, pushedMs: nowMs }, new Map(rest));
    return { state: all.state, effects: [...begun.effects, ...all.effects] };
  }
  const waiting = new Map([...state.waiting, ...rest]);
  const latestMs = state.due?.latestMs ?? nowMs + rules.latestMs;
  const atMs = Math.min(nowMs + rules.quietMs, latestMs);
  return {
    state: { ...begun.state, waiting, due: { atMs, latestMs } },
    effects: [...begun.effects, { kind: 'wake', atMs }],
  };
}

function forgotten(state: AdsState, gone: readonly string[]): AdsStep {
  const groups = new Map(state.groups);
  const waiting = new Map(state.waiting);
  for (const group of gone) {
    groups.delete(group);
    waiting.delete(group);
  }
  return { state: { ...state, groups, waiting }, effects: [] };
}

function pushed(state: AdsState, snapshots: ReadonlyMap<string, Snapshot>): AdsStep {
  const groups = new Map(state.groups);
  for (const [group, snapshot] of snapshots) {
    const quarantine = stillRefused(groups.get(group)?.quarantine ?? noQuarantine, snapshot);
    groups.set(group, { snapshot, quarantine });
  }
  const ids = [...state.streams.values()].filter(({ group }) => snapshots.has(group)).map(({ id }) => id);
  return flushAll({ ...state, groups }, ids);
}

function flushAll(state: AdsState, ids: Iterable<string>): AdsStep {
  let { streams } = state;
  const effects: AdsEffect[] = [];
  for (const id of ids) {
    const stream = streams.get(id);
    const group = stream && state.groups.get(stream.group);
    if (stream === undefined || group === undefined) continue;
    const flushed = flush(stream, group);
    if (flushed.stream !== stream) streams = streams.with(id, flushed.stream);
    for (const push of flushed.pushes) effects.push({ kind: 'push', ...push });
  }
  return { state: { ...state, streams }, effects };
}

function requested(state: AdsState, id: string, request: AdsRequest): AdsStep {
  const stream = state.streams.get(id);
  if (stream === undefined) return { state, effects: [] };
  const before = stream.subscriptions.get(request.type) ?? noSubscription;
  const isFirst = !stream.subscriptions.has(request.type);
  const there = state.groups.get(stream.group)?.snapshot[request.type] ?? noResources;
  const asked =
    stream.protocol === 'sotw' ? wanted(before, request, isFirst) : moved(before, request, isFirst);
  const subscribed = asked && withSharedNames(asked, before, there);
  if (subscribed === undefined) return { state, effects: [] };
  const isAnswer = subscribed.pending !== undefined && request.nonce === subscribed.pending.nonce;
  if (isAnswer && request.error !== undefined) return nacked(state, stream, request, subscribed);
  const after = isAnswer ? acknowledged(subscribed) : subscribed;
  return flushAll(withStream(state, withSubscription(stream, request.type, after)), [id]);
}

/** Undefined: it answers something older than the last push, and will be followed by an answer to that. */
function wanted(before: Subscription, request: AdsRequest, isFirst: boolean): Subscription | undefined {
  const last = before.pending?.nonce ?? before.answered;
  // A first request with a nonce is of a proxy that has come from another control plane.
  if (!isFirst && request.nonce !== last) return undefined;
  const mayBeWildcard = isFirst || before.wildcard;
  const after = withNames(before, request.names, mayBeWildcard && isWhole(request.type));
  const isRepeated = !isFirst && before.pending === undefined && sameNames(before, after);
  // Who asks again without need has lost what it had, as Envoy does for the endpoints of a cluster that it makes anew.
  return isRepeated ? { ...after, owed: new Set(after.names) } : after;
}

function moved(before: Subscription, request: AdsRequest, isFirst: boolean): Subscription {
  const { subscribe, unsubscribe, initial, type } = request;
  const after = withNamesChanged(before, subscribe, unsubscribe);
  if (!isFirst) return after;
  const wildcard = after.wildcard || (subscribe.length === 0 && isWhole(type));
  const has = new Map(
    [...initial].map(([name, version]) => [name, { name, version, bytes: new Uint8Array() }]),
  );
  const owed = new Set([...after.owed].filter((name) => !has.has(name)));
  return { ...after, wildcard, has: has.size === 0 ? noResources : has, owed };
}

function sameNames(a: Subscription, b: Subscription): boolean {
  if (a.wildcard !== b.wildcard || a.names.size !== b.names.size) return false;
  if (a.names === b.names) return true;
  for (const name of a.names) if (!b.names.has(name)) return false;
  return true;
}

function acknowledged(subscription: Subscription): Subscription {
  const { pending } = subscription;
  if (pending === undefined) return subscription;
  return {
    ...subscription,
    has: pending.goal,
    pending: undefined,
    answered: pending.nonce,
    acknowledged: pending.version,
  };
}

function nacked(
  state: AdsState,
  stream: AdsStream,
  request: AdsRequest,
  subscription: Subscription,
): AdsStep {
  const { type, error = '' } = request;
  const { pending } = subscription;
  const group = state.groups.get(stream.group);
  if (pending === undefined || group === undefined) return { state, effects: [] };
  const culprits = blamed(pending.changed, error);
  const lastGood = goodOnes(state, stream, type);
  const refusals = culprits.flatMap((name): Refused[] => {
    const version = pending.goal.get(name)?.version;
    if (version === undefined) return [];
    return [{ type, name, version, instead: lastGood(name), message: error, node: stream.node }];
  });
  let { quarantine } = group;
  for (const refused of refusals) quarantine = refusing(quarantine, refused);
  const after: Subscription = {
    ...subscription,
    pending: undefined,
    answered: pending.nonce,
    // That something is gone cannot be refused; to say so again would only be refused again.
    has: refusals.length === 0 && pending.changed.length <= 1 ? pending.goal : subscription.has,
    oneByOne: refusals.length === 0,
  };
  const next = withStream(state, { ...withSubscription(stream, type, after), refusal: error });
  const groups = new Map(next.groups).set(stream.group, { ...group, quarantine });
  const flushed = flushAll({ ...next, groups }, [stream.id]);
  const told = refusals.map((refused): AdsEffect => ({ kind: 'refused', group: stream.group, refused }));
  return { state: flushed.state, effects: [...told, ...flushed.effects] };
}

/** What a proxy of the group has taken. Of what one brought from another control plane only the version is known. */
function goodOnes(
  state: AdsState,
  { group }: AdsStream,
  type: XdsType,
): (name: string) => XdsResource | undefined {
  const peers = [...state.streams.values()].filter((each) => each.group === group);
  return (name) => {
    for (const { subscriptions } of peers) {
      const resource = subscriptions.get(type)?.has.get(name);
      if (resource !== undefined && resource.bytes.length > 0) return resource;
    }
    return undefined;
  };
}

/** Whom a refusal is about: the only one that was new, or those that the proxy names. None: it does not say. */
function blamed(changed: readonly string[], error: string): readonly string[] {
  if (changed.length <= 1) return changed;
  return changed.filter((name) => mentions(error, name));
}

/** Not as a part of another name. */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const around = `${text[at - 1] ?? ' '}${text[at + name.length] ?? ' '}`;
    if (!/[\w|-]/.test(around)) return true;
  }
  return false;
}

function withStream(state: AdsState, stream: AdsStream): AdsState {
  return { ...state, streams: state.streams.with(stream.id, stream) };
}

function withSubscription(stream: AdsStream, type: XdsType, subscription: Subscription): AdsStream {
  return { ...stream, subscriptions: new Map(stream.subscriptions).set(type, subscription) };
}
