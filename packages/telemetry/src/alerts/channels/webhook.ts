import type { Runtime } from '@heddle/kernel';
import type { Channel } from '../notify/channel.ts';
import type { Notification } from '../notify/notify-state.ts';
import { postJson } from './post-json.ts';

/** What a webhook is told. */
export interface WebhookOptions {
  readonly runtime: Runtime;
  readonly url: () => Promise<string>;
  /** Where people see the alerts. */
  readonly externalUrl: () => string;
  /** Alerts in one message; 0: all. */
  readonly maxAlerts: number;
}

/** Posts Alertmanager's message for webhooks, version 4, which many programs read. */
export function webhook({ runtime, url, ...options }: WebhookOptions): Channel {
  return {
    kind: 'webhook',
    send: async (notification) => postJson(runtime, await url(), webhookMessage(notification, options)),
  };
}

/** The message itself. */
export function webhookMessage(
  notification: Notification,
  { externalUrl, maxAlerts }: Pick<WebhookOptions, 'externalUrl' | 'maxAlerts'>,
): object {
  const { receiver, status, groupKey, groupLabels, commonLabels, commonAnnotations } = notification;
  const all = notification.alerts;
  const alerts = maxAlerts === 0 ? all : all.slice(0, maxAlerts);
  return {
    version: '4',
    groupKey,
    truncatedAlerts: all.length - alerts.length,
    status,
    receiver,
    groupLabels,
    commonLabels,
    commonAnnotations,
    externalURL: externalUrl(),
    alerts: alerts.map((alert) => ({
      status: alert.status,
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: new Date(alert.startsAtMs).toISOString(),
      // Alertmanager writes Go's zero for an end that is not known.
      endsAt: alert.status === 'firing' ? '0001-01-01T00:00:00Z' : new Date(alert.endsAtMs).toISOString(),
      generatorURL: alert.generatorUrl,
      fingerprint: alert.fingerprint,
    })),
  };
}
