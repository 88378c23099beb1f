// Alerts by mail to a real SMTP server.
import { HeddleError } from '@heddle/kernel';
import type { Notification } from '@heddle/telemetry';
import { email, type EmailOptions } from '@heddle/telemetry/email';
import { isMissing, obtain } from '../../engines/engine.ts';
import { freePlace } from '../../engines/running.ts';
import { type RunningSmtp, smtp } from '../../engines/smtp.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { startDesk, until } from './alert-desk.ts';

const backend = 'smtp';
const user = { name: 'heddle', password: 'a password with ümlaut' };

/** The suite. */
export const smtpContract: Contract = {
  backend,
  run: async () => {
    const found = await obtain(smtp);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const results: ContractResult[] = [];
    for (const [name, each] of Object.entries(cases))
      results.push(await resultOf(backend, found.version, name, each));
    return results;
  },
};

function channelTo(
  server: Pick<RunningSmtp, 'address'>,
  more: Partial<EmailOptions> = {},
): ReturnType<typeof email> {
  return email({
    smarthost: `${server.address.host}:${server.address.port}`,
    from: 'Heddle <heddle@example.org>',
    to: 'team@example.org, night@example.org',
    username: undefined,
    password: async () => '',
    requireTls: false,
    externalUrl: () => 'http://127.0.0.1:8090',
    ...more,
  });
}

const alert = {
  fingerprint: 'e46aaa9fcf75dd34',
  labels: { alertname: 'HighErrorRate', job: 'order', severity: 'critical' },
  annotations: { summary: 'order fails 7 % of its requests – 订单失败' },
  startsAtMs: Date.UTC(2026, 10, 29, 12),
  endsAtMs: Date.UTC(2026, 10, 29, 13),
  updatedAtMs: 0,
  generatorUrl: '',
  status: 'firing' as const,
};
const notification: Notification = {
  receiver: 'team',
  status: 'firing',
  groupKey: '0:[["alertname","HighErrorRate"]]',
  groupLabels: { alertname: 'HighErrorRate' },
  commonLabels: alert.labels,
  commonAnnotations: alert.annotations,
  alerts: [alert],
};

function expectIn(mail: string, ...parts: readonly (string | RegExp)[]): void {
  const plain = decoded(mail);
  const missing = parts.filter((part) =>
    typeof part === 'string' ? !plain.includes(part) : !part.test(plain),
  );
  if (missing.length > 0) throw new Error(`${missing.join(', ')} is missing in\n${plain}`);
}

/** Bodies come as quoted-printable or base64. */
function decoded(mail: string): string {
  const [head = '', body = ''] = mail.split(/\r?\n\r?\n(.*)/s);
  if (/content-transfer-encoding: base64/i.test(head))
    return `${head}\n\n${Buffer.from(body, 'base64').toString()}`;
  const bytes = body
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return `${head}\n\n${Buffer.from(bytes, 'latin1').toString()}`;
}

async function withServer(
  options: Parameters<typeof smtp.start>[0],
  work: (server: RunningSmtp) => Promise<void>,
): Promise<void> {
  const server = await smtp.start(options);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

const cases: Readonly<Record<string, () => Promise<void>>> = {
  'a mail arrives with what it is to say': () =>
    withServer({}, async (server) => {
      await channelTo(server).send(notification);
      const [mail = ''] = server.mails();
      expectIn(
        mail,
        'X-Envelope: heddle@example.org -> team@example.org night@example.org',
        /^Subject: \[FIRING:1\] HighErrorRate\r?$/m,
        'FIRING HighErrorRate: order fails 7 % of its requests – 订单失败',
        'job="order", severity="critical"',
        'since 2026-11-29T12:00:00.000Z',
        'http://127.0.0.1:8090',
      );
    }),
  'with a user and a password': () =>
    withServer({ user }, async (server) => {
      const password = async (): Promise<string> => user.password;
      await channelTo(server, { username: user.name, password }).send(notification);
      if (server.mails().length !== 1) throw new Error(`${server.mails().length} mails`);
    }),
  'a wrong password is an error that does not name it': () =>
    withServer({ user }, async (server) => {
      const password = async (): Promise<string> => 'not-the-password';
      const sent = channelTo(server, { username: user.name, password }).send(notification);
      const error = await sent.then(
        () => undefined,
        (thrown: unknown) => HeddleError.from(thrown),
      );
      if (error?.reason !== 'NOT_DELIVERED' || error.message.includes('not-the-password'))
        throw new Error(`expected NOT_DELIVERED, found ${error?.message}`);
    }),
  'a server without STARTTLS is refused where TLS is required': () =>
    withServer({}, async (server) => {
      const sent = channelTo(server, { requireTls: true }).send(notification);
      const refused = await sent.then(
        () => false,
        () => true,
      );
      if (!refused || server.mails().length > 0) throw new Error('the mail went out in the clear');
    }),
  'a line’s end in a label makes no header': () =>
    withServer({}, async (server) => {
      const groupLabels = { alertname: 'A\r\nBcc: all@example.org' };
      await channelTo(server).send({ ...notification, groupLabels });
      const [mail = ''] = server.mails();
      if (/^Bcc:/m.test(mail)) throw new Error(mail);
      expectIn(mail, 'X-Envelope: heddle@example.org -> team@example.org night@example.org');
    }),
  'the engine goes on until the server is back': async () => {
    const address = await freePlace();
    const channel = channelTo({ address });
    const configuration = `
route: {receiver: team, group_wait: 0s, group_interval: 1s}
receivers: [{name: team, email_configs: [{to: a@b.c, from: a@b.c, smarthost: "127.0.0.1:${address.port}"}]}]
`;
    const desk = await startDesk({ configuration, channels: { team: [channel] } });
    try {
      const said = { labels: alert.labels, annotations: alert.annotations, generatorUrl: '' };
      await desk.engine.take({ kind: 'alerts', alerts: [said] });
      const failures = (): number =>
        Object.values(desk.engine.notify.groups).flatMap(({ channels }) => Object.values(channels))[0]
          ?.failures ?? 0;
      await until(
        () => failures() >= 2,
        () => `two tries were to fail, ${failures()} did`,
      );
      await withServer({ address }, async (server) => {
        await until(
          () => server.mails().length > 0,
          () => 'the mail was to come',
        );
        await until(
          () => failures() === 0,
          () => 'the failures were to be over',
        );
        if (server.mails().length !== 1) throw new Error(`${server.mails().length} mails`);
      });
    } finally {
      await desk.stop();
    }
  },
};
