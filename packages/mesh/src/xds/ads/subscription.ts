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
  const wildcard = names.includes('*') || (names.length === 0 && mayBeWildcard);
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
