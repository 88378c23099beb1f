import type { Runtime } from '@heddle/kernel';
import type { Channel } from '../notify/channel.ts';
import type { Notification } from '../notify/notify-state.ts';
import { postJson } from './post-json.ts';
import { alertText, subjectOf } from './words.ts';

/** What a Slack channel is told. */
export interface SlackOptions {
  readonly runtime: Runtime;
  /** Of an incoming webhook: a secret. */
  readonly url: () => Promise<string>;
  readonly externalUrl: () => string;
  /** Where the webhook lets one choose. */
  readonly channel?: string | undefined;
  readonly username?: string | undefined;
}

const mostAlerts = 20;
const longestText = 3000;

/** Posts to an incoming webhook of Slack. */
export function slack({ runtime, url, ...options }: SlackOptions): Channel {
  return {
    kind: 'slack',
    send: async (notification) => postJson(runtime, await url(), slackMessage(notification, options)),
  };
}

/** The message itself: an attachment with a colour, as Alertmanager makes it. */
export function slackMessage(
  notification: Notification,
  { externalUrl, channel, username }: Pick<SlackOptions, 'externalUrl' | 'channel' | 'username'>,
): object {
  const title = escaped(subjectOf(notification));
  const shown = notification.alerts.slice(0, mostAlerts).map((each) => escaped(alertText(each)));
  const left = notification.alerts.length - shown.length;
  const text = [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('\n');
  return {
    ...(channel !== undefined && { channel }),
    ...(username !== undefined && { username }),
    attachments: [
      {
        title,
        title_link: externalUrl(),
        text: text.slice(0, longestText),
        fallback: title,
        color: notification.status === 'firing' ? 'danger' : 'good',
        mrkdwn_in: ['text'],
      },
    ],
  };
}

/** The three characters that mean something to Slack. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
