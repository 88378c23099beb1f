import { noResources, type Resources } from './resource.ts';

/** What has been sent and not been answered. */
export interface Pending {
  readonly nonce: string;
  /** Of the rules. */
  readonly version: string;
  /** What the proxy has, if it takes it. */
  readonly goal: Resources;
  /** What in it is new to the proxy. */
  readonly changed: readonly string[];
}

/** What one proxy wants of one type, and what it has. A value. */
export interface Subscription {
  /** All there are, without naming them. */
  readonly wildcard: boolean;
  readonly names: ReadonlySet<string>;
  /** Asked for since the last push: an answer is owed, also if nothing has changed. */
  readonly owed: ReadonlySet<string>;
  /** What it has taken, as far as it is subscribed to it. */
  readonly has: Resources;
  readonly pending: Pending | undefined;
  /** The nonce that was answered last. */
  readonly answered: string;
  /** It has refused a push of several resources and did not say which: they go one by one. */
  readonly oneByOne: boolean;
  /** The version of the rules that it has taken last; empty: none. */
  readonly acknowledged: string;
}

/** Nothing yet. */
export const noSubscription: Subscription = {
  wildcard: false,
  names: new Set(),
  owed: new Set(),
  has: noResources,
  pending: undefined,
  answered: '',
  oneByOne: false,
  acknowledged: '',
};

/** True if it wants to hear of that resource. */
export function wants({ wildcard, names }: Subscription, name: string): boolean {
  return wildcard || names.has(name);
}

/** With exactly these names wanted (state of the world); what is new among them is owed an answer. */
export function withNames(
  subscription: Subscription,
  names: readonly string[],
  mayBeWildcard: boolean,
): Subscription {
  const { names: known } = subscription;
  const wildcard = names.includes('*') || (names.length === 0 && mayBeWildcard);
  // An answer names all that is wanted once more: a thousand names, which are the same as a rule.
  if (!wildcard && names.length === known.size && names.every((name) => known.has(name)))
    return subscription.wildcard ? { ...subscription, wildcard } : subscription;
  const next = new Set(names.filter((name) => name !== '*'));
  const added = [...next].filter((name) => !subscription.names.has(name));
  const owed = new Set([...subscription.owed, ...added].filter((name) => next.has(name)));
  return { ...subscription, wildcard, names: next, owed };
}

/** With some names more and some less (delta). */
export function withNamesChanged(
  subscription: Subscription,
  more: readonly string[],
  less: readonly string[],
): Subscription {
  if (more.length === 0 && less.length === 0) return subscription;
  const names = new Set(subscription.names);
  const owed = new Set(subscription.owed);
  let { wildcard } = subscription;
  for (const name of less) {
    if (name === '*') wildcard = false;
    names.delete(name);
    owed.delete(name);
  }
  for (const name of more) {
    if (name === '*') wildcard = true;
    else owed.add(name);
    if (name !== '*') names.add(name);
  }
  return { ...subscription, wildcard, names, owed };
}

const shared = new WeakMap<Resources, ReadonlySet<string>>();

/**
 * The same with names that are not held once more: most proxies want the endpoints of all clusters, and a thousand names
 * of a thousand proxies are a hundred megabytes. `there`: what there is of the type.
 */
export function withSharedNames(now: Subscription, before: Subscription, there: Resources): Subscription {
  const { names } = now;
  if (names === before.names || names.size < 16 || names.size !== there.size) return now;
  for (const name of names) if (!there.has(name)) return now;
  const known = shared.get(there) ?? new Set(there.keys());
  shared.set(there, known);
  const owed = now.owed.size === names.size ? known : now.owed;
  return { ...now, names: known, owed };
}
