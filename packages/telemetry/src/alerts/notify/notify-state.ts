import type { AlertLabels, LabelMatcher } from './matcher.ts';

/** An alert as the notifier knows it. Times in milliseconds since 1970. */
export interface HeldAlert {
  readonly fingerprint: string;
  readonly labels: AlertLabels;
  readonly annotations: AlertLabels;
  readonly startsAtMs: number;
  /** It fires until then, unless it is told of again. */
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly generatorUrl: string;
}

/** Alerts that meet all matchers are not told between two times. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly LabelMatcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
}

/** What one channel has been told of a group. */
export interface ChannelLog {
  /** Fingerprints of the last notification that was delivered. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  /** When; 0: nothing was delivered yet. */
  readonly atMs: number;
  /** Fingerprints that it is owed: a notification with them was tried and has failed. */
  readonly owed: readonly string[];
  /** Tries that failed since the last that did not. */
  readonly failures: number;
  /** What the last of them said. */
  readonly problem: string;
  /** When it is tried again; undefined: nothing is to be tried again. */
  readonly retryAtMs?: number | undefined;
  /** A notification is under way, or was when the process died. */
  readonly underWay?: boolean | undefined;
}

/** Alerts of one route that are told together. */
export interface AlertGroup {
  readonly key: string;
  readonly routeId: string;
  readonly receiver: string;
  readonly labels: AlertLabels;
  readonly fingerprints: readonly string[];
  /** When it is looked at next. */
  readonly flushAtMs: number;
  /** By position among the receiver's channels. */
  readonly channels: Readonly<Record<number, ChannelLog>>;
}

/** All that the notifier remembers. Plain data, so that it can be written down as it is. */
export interface NotifyState {
  readonly alerts: Readonly<Record<string, HeldAlert>>;
  readonly groups: Readonly<Record<string, AlertGroup>>;
  readonly silences: Readonly<Record<string, Silence>>;
}

/** Nothing yet. */
export const noNotifyState: NotifyState = { alerts: {}, groups: {}, silences: {} };

/** An alert in a notification. */
export interface NotifiedAlert extends HeldAlert {
  readonly status: 'firing' | 'resolved';
}

/** What a channel is told. */
export interface Notification {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly groupKey: string;
  readonly groupLabels: AlertLabels;
  readonly commonLabels: AlertLabels;
  readonly commonAnnotations: AlertLabels;
  readonly alerts: readonly NotifiedAlert[];
}

/** A notification on its way: its outcome comes back as an input with `group` and `channel`. */
export interface Delivery {
  readonly group: string;
  readonly channel: number;
  readonly notification: Notification;
}
