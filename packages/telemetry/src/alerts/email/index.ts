import { HeddleError } from '@heddle/kernel';
import { createTransport } from 'nodemailer';
import { alertText, subjectOf } from '../channels/words.ts';
import type { Channel } from '../notify/channel.ts';
import type { MailConfig } from '../notify/notify-config.ts';

/** What `email` is told. */
export interface EmailOptions extends Omit<MailConfig, 'password'> {
  readonly to: string;
  /** Empty with no user name. */
  readonly password: () => Promise<string>;
  readonly externalUrl: () => string;
}

const limitMs = 10_000;

/**
 * Sends a mail for each notification through an SMTP server; on port 465 with TLS from the first byte, elsewhere with STARTTLS.
 */
export function email(options: EmailOptions): Channel {
  const { smarthost, username, password, requireTls, from, to, externalUrl } = options;
  const colon = smarthost.lastIndexOf(':');
  const [host, port] = [
    smarthost.slice(0, colon).replace(/^\[|\]$/g, ''),
    Number(smarthost.slice(colon + 1)),
  ];
  return {
    kind: 'email',
    send: async (notification) => {
      const transport = createTransport({
        host,
        port,
        secure: port === 465,
        requireTLS: requireTls && port !== 465,
        connectionTimeout: limitMs,
        greetingTimeout: limitMs,
        socketTimeout: limitMs,
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(username !== undefined && { auth: { user: username, pass: await password() } }),
      });
      const texts = notification.alerts.map(alertText);
      try {
        await transport.sendMail({
          from,
          to,
          subject: subjectOf(notification),
          text: `${[...texts, externalUrl()].join('\n\n')}\n`,
          headers: { 'X-Heddle-Group': encodeURIComponent(notification.groupKey).slice(0, 500) },
        });
      } catch (thrown) {
        const message = `${host}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
        throw new HeddleError({ code: 'unavailable', reason: 'NOT_DELIVERED', message, cause: thrown });
      } finally {
        transport.close();
      }
    },
  };
}
