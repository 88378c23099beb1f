import type { Quarantine } from './quarantine.ts';
import type { Snapshot, XdsResource, XdsType } from './resource.ts';
import type { Subscription } from './subscription.ts';

/** Which of the two protocols a stream speaks. */
export type AdsProtocol = 'sotw' | 'delta';

/** One stream of one proxy. */
export interface AdsStream {
  readonly id: string;
  readonly protocol: AdsProtocol;
  /** What the proxy calls itself. */
  readonly node: string;
  /** Proxies of one group are to have the same. */
  readonly group: string;
  readonly subscriptions: ReadonlyMap<XdsType, Subscription>;
  /** Pushes so far. */
  readonly pushes: number;
  /** The last refusal, in the proxy's words. */
  readonly refusal: string | undefined;
}

/** What one group is to have. */
export interface AdsGroup {
  readonly snapshot: Snapshot;
  readonly quarantine: Quarantine;
}

/** What is sent to a proxy: all that it is to have of the type, or what is new to it. */
export interface AdsPush {
  readonly stream: string;
  readonly type: XdsType;
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly XdsResource[];
  /** Delta only. */
  readonly removed: readonly string[];
}
