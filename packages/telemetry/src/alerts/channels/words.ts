import type { AlertLabels } from '../notify/matcher.ts';
import type { Notification, NotifiedAlert } from '../notify/notify-state.ts';

/** `[FIRING:2] HighErrorRate (job="order")`. */
export function subjectOf({ status, alerts, groupLabels, commonLabels }: Notification): string {
  const firing = alerts.filter((each) => each.status === 'firing').length;
  const head = status === 'firing' ? `[FIRING:${firing}]` : '[RESOLVED]';
  const name = groupLabels['alertname'] ?? commonLabels['alertname'] ?? 'alerts';
  const { alertname: _alertname, ...others } = groupLabels;
  const rest = labelsText(others);
  return `${head} ${name}${rest === '' ? '' : ` (${rest})`}`;
}

/** `job="order", severity="critical"`. */
export function labelsText(labels: AlertLabels): string {
  const names = Object.keys(labels).toSorted();
  return names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(', ');
}

/** An alert in a line or a few. */
export function alertText({ status, labels, annotations, startsAtMs, endsAtMs }: NotifiedAlert): string {
  const { alertname = '', ...others } = labels;
  const { summary, ...more } = annotations;
  const time = (ms: number): string => new Date(ms).toISOString();
  return [
    `${status === 'firing' ? 'FIRING' : 'RESOLVED'} ${alertname}: ${summary ?? labelsText(others)}`,
    ...Object.entries(more).map(([name, text]) => `  ${name}: ${text}`),
    `  ${labelsText(others)}`,
    `  since ${time(startsAtMs)}${status === 'resolved' ? `, until ${time(endsAtMs)}` : ''}`,
  ].join('\n');
}
