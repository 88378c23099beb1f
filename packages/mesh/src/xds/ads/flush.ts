import type { AdsGroup, AdsPush, AdsStream } from './ads-stream.ts';
import { changesBetween, withLeaving } from './changes.ts';
import { withoutRefused } from './quarantine.ts';
import { isWhole, type Resources, type XdsResource, type XdsType, xdsTypes } from './resource.ts';
import { type Subscription, wants } from './subscription.ts';

/** A stream and what it is sent. */
export interface Flushed {
  readonly stream: AdsStream;
  readonly pushes: readonly AdsPush[];
}

/**
 * Sends what a proxy lacks and may have by now. A type of which a push is not answered waits for the answer, so a slow
 * proxy gets the newest instead of all that was in between; a listener waits for the clusters that it may name, a route
 * for their endpoints too.
 */
export function flush(stream: AdsStream, group: AdsGroup): Flushed {
  let now = stream;
  const pushes: AdsPush[] = [];
  for (const type of xdsTypes) {
    const subscription = now.subscriptions.get(type);
    if (subscription === undefined || subscription.pending !== undefined) continue;
    const goal = goalOf(now, type, subscription, group);
    const plan = planOf(now, type, subscription, goal);
    if (plan === undefined) {
      if (subscription.has !== goal)
        now = settled(now, type, { ...subscription, has: goal, oneByOne: false });
      continue;
    }
    if (type === 'listener' && lacksClusters(now)) continue;
    if (type === 'route' && mustWait(now, group)) continue;
    const nonce = `${now.pushes + 1}`;
    pushes.push({ stream: now.id, type, nonce, version: group.snapshot.version, ...plan.content });
    const { goal: planned, changed } = plan;
    const pending = { nonce, version: group.snapshot.version, goal: planned, changed };
    now = settled({ ...now, pushes: now.pushes + 1 }, type, { ...subscription, pending, owed: nothing });
    if (type === 'cluster') now = owingEndpoints(now, changed, planned);
  }
  return { stream: now, pushes };
}

const nothing: ReadonlySet<string> = new Set();

/** What it is to have: clusters that go are kept until the routes that may name them have been taken. */
function goalOf(stream: AdsStream, type: XdsType, subscription: Subscription, group: AdsGroup): Resources {
  const goal = withoutRefused(group.snapshot[type], type, group.quarantine);
  if (type !== 'cluster' || !subscription.wildcard) return goal;
  const routes = stream.subscriptions.get('route');
  if (routes === undefined) return goal;
  const isBehind =
    routes.pending !== undefined ||
    changesBetween(routes.has, withoutRefused(group.snapshot.route, 'route', group.quarantine)).some((name) =>
      wants(routes, name),
    );
  return isBehind ? withLeaving(subscription.has, goal) : goal;
}

interface Plan {
  readonly goal: Resources;
  readonly changed: readonly string[];
  readonly content: { readonly resources: readonly XdsResource[]; readonly removed: readonly string[] };
}

/** Undefined: it lacks nothing. */
function planOf(
  stream: AdsStream,
  type: XdsType,
  subscription: Subscription,
  goal: Resources,
): Plan | undefined {
  const all = changesBetween(subscription.has, goal).filter((name) => wants(subscription, name));
  const isInitial = subscription.answered === '' && subscription.wildcard;
  if (all.length === 0 && subscription.owed.size === 0 && !isInitial) return undefined;
  const changed = subscription.oneByOne ? all.slice(0, 1) : all;
  const next = subscription.oneByOne ? withOne(subscription.has, goal, changed[0]) : goal;
  const named = subscription.owed.size === 0 ? changed : new Set([...changed, ...subscription.owed]);
  const isSilent = stream.protocol === 'sotw' && !isWhole(type) && subscription.owed.size === 0;
  // Of these types the state of the world cannot say that something is gone.
  if (isSilent && changed.every((name) => !next.has(name))) return undefined;
  const content =
    stream.protocol === 'delta'
      ? { resources: present(named, next), removed: [...named].filter((name) => !next.has(name)) }
      : { resources: stateOf(type, subscription, next, named), removed: [] };
  return { goal: next, changed, content };
}

/** State of the world: listeners and clusters are all named each time, since who is not there is gone. */
function stateOf(
  type: XdsType,
  subscription: Subscription,
  goal: Resources,
  named: Iterable<string>,
): readonly XdsResource[] {
  if (!isWhole(type)) return present(named, goal);
  return subscription.wildcard ? [...goal.values()] : present(subscription.names, goal);
}

function present(names: Iterable<string>, resources: Resources): XdsResource[] {
  const found: XdsResource[] = [];
  for (const name of names) {
    const resource = resources.get(name);
    if (resource !== undefined) found.push(resource);
  }
  return found;
}

function withOne(has: Resources, goal: Resources, name: string | undefined): Resources {
  if (name === undefined) return goal;
  const next = new Map(has);
  const resource = goal.get(name);
  if (resource === undefined) next.delete(name);
  else next.set(name, resource);
  return next;
}

/** Envoy makes a changed cluster anew and then waits for its endpoints, which have not changed. */
function owingEndpoints(stream: AdsStream, changed: readonly string[], goal: Resources): AdsStream {
  const endpoints = stream.subscriptions.get('endpoints');
  if (endpoints === undefined) return stream;
  const needed = changed.flatMap((name) => goal.get(name)?.needs ?? []);
  const owed = needed.filter((name) => endpoints.names.has(name));
  if (owed.length === 0) return stream;
  return settled(stream, 'endpoints', { ...endpoints, owed: new Set([...endpoints.owed, ...owed]) });
}

/** Envoy refuses a listener whose own routes name a cluster that it does not have. */
function lacksClusters({ subscriptions }: AdsStream): boolean {
  const clusters = subscriptions.get('cluster');
  return clusters?.wildcard === true && clusters.pending !== undefined;
}

/** A proxy that takes all clusters gets routes once it has the clusters and has asked for their endpoints. */
function mustWait(stream: AdsStream, group: AdsGroup): boolean {
  const clusters = stream.subscriptions.get('cluster');
  if (clusters?.wildcard !== true) return false;
  const endpoints = stream.subscriptions.get('endpoints');
  if (clusters.pending !== undefined || endpoints?.pending !== undefined) return true;
  for (const { needs } of clusters.has.values())
    if (needs !== undefined && endpoints?.names.has(needs) !== true && group.snapshot.endpoints.has(needs))
      return true;
  return false;
}

function settled(stream: AdsStream, type: XdsType, subscription: Subscription): AdsStream {
  return { ...stream, subscriptions: new Map(stream.subscriptions).set(type, subscription) };
}
