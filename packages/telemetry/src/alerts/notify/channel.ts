import type { Notification } from './notify-state.ts';

/** A way to tell people. */
export interface Channel {
  /** `webhook`, `email`, `slack`: a label of metrics. */
  readonly kind: string;
  /** Resolves when the notification was taken; rejects with a `HeddleError` otherwise. It may be told one twice. */
  send(notification: Notification): Promise<void>;
}
