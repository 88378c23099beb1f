import type { AdsState } from './ads/ads-state.ts';
import type { Refused } from './ads/quarantine.ts';
import type { XdsType } from './ads/resource.ts';

/** What is known of a proxy that is connected. */
export interface ProxyView {
  readonly node: string;
  readonly protocol: 'sotw' | 'delta';
  readonly types: readonly {
    readonly type: XdsType;
    /** How many resources it wants; undefined: all there are. */
    readonly names: number | undefined;
    /** The version of the rules that it has taken; empty: none yet. */
    readonly acknowledged: string;
    /** The version that it has been sent and has not answered. */
    readonly pending: string | undefined;
  }[];
  /** What is kept from it and its like because one of them has refused it. */
  readonly refused: readonly Refused[];
  /** Its own last refusal. */
  readonly refusal: string | undefined;
}

/** For people and for tests. */
export function proxyViews({ streams, groups }: AdsState): readonly ProxyView[] {
  return [...streams.values()].map(({ node, protocol, subscriptions, group, refusal }) => ({
    node,
    protocol,
    types: [...subscriptions].map(([type, { names, wildcard, acknowledged, pending }]) => ({
      type,
      names: wildcard ? undefined : names.size,
      acknowledged,
      pending: pending?.version,
    })),
    refused: [...(groups.get(group)?.quarantine.values() ?? [])],
    refusal,
  }));
}
