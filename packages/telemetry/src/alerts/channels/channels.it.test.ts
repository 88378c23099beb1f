// Channels over real sockets: what is posted, and what a receiver's refusal becomes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { Fields, type HttpServer, serve, wholeBody } from '@heddle/wire';
import type { Notification } from '../notify/notify-state.ts';
import { slack } from './slack.ts';
import { webhook } from './webhook.ts';

const alert = {
  fingerprint: 'e46aaa9fcf75dd34',
  labels: { alertname: 'HighErrorRate', job: 'order' },
  annotations: { summary: 'order fails <7 %> & more' },
  startsAtMs: Date.UTC(2026, 10, 29, 12),
  endsAtMs: Date.UTC(2026, 10, 29, 13),
  updatedAtMs: 0,
  generatorUrl: 'http://127.0.0.1:8090/api/v1/query?query=up',
};
const notification: Notification = {
  receiver: 'team',
  status: 'firing',
  groupKey: '0:[]',
  groupLabels: { alertname: 'HighErrorRate' },
  commonLabels: { alertname: 'HighErrorRate' },
  commonAnnotations: {},
  alerts: [
    { ...alert, status: 'firing' },
    { ...alert, status: 'resolved', labels: { alertname: 'HighErrorRate', job: 'payment' } },
  ],
};

describe('channels', () => {
  const runtime = nodeRuntime({ name: 'channels', logLevel: 'error' });
  const got: { path: string; type: string | undefined; body: unknown }[] = [];
  let status = 200;
  let server: HttpServer;
  const url = (path: string) => async (): Promise<string> => `http://127.0.0.1:${server.address.port}${path}`;
  const externalUrl = (): string => 'http://heddle.example';

  before(async () => {
    server = await serve(
      async ({ path, fields, body }) => {
        const text = new TextDecoder().decode(await body.bytes(100_000));
        got.push({ path, type: fields.get('content-type'), body: JSON.parse(text) });
        return { status, fields: new Fields(), body: wholeBody(new TextEncoder().encode('no_service')) };
      },
      { runtime, address: { host: '127.0.0.1', port: 0 } },
    );
  });
  after(() => server.stop());

  test('a webhook gets Alertmanager’s message', async () => {
    await webhook({ runtime, url: url('/hook?key=1'), externalUrl, maxAlerts: 1 }).send(notification);
    assert.deepEqual(got.at(-1), {
      path: '/hook?key=1',
      type: 'application/json',
      body: {
        version: '4',
        groupKey: '0:[]',
        truncatedAlerts: 1,
        status: 'firing',
        receiver: 'team',
        groupLabels: { alertname: 'HighErrorRate' },
        commonLabels: { alertname: 'HighErrorRate' },
        commonAnnotations: {},
        externalURL: 'http://heddle.example',
        alerts: [
          {
            status: 'firing',
            labels: alert.labels,
            annotations: alert.annotations,
            startsAt: '2026-11-29T12:00:00.000Z',
            endsAt: '0001-01-01T00:00:00Z',
            generatorURL: alert.generatorUrl,
            fingerprint: 'e46aaa9fcf75dd34',
          },
        ],
      },
    });
  });

  test('Slack gets an attachment, in which nothing of an alert means anything to it', async () => {
    const options = { runtime, url: url('/services/T/B/secret'), externalUrl, channel: '#alerts' };
    await slack(options).send(notification);
    const { body } = got.at(-1) as { body: { channel: string; attachments: Record<string, unknown>[] } };
    assert.equal(body.channel, '#alerts');
    const [attachment] = body.attachments;
    assert.equal(attachment?.['title'], '[FIRING:1] HighErrorRate');
    assert.equal(attachment?.['title_link'], 'http://heddle.example');
    assert.equal(attachment?.['color'], 'danger');
    assert.match(String(attachment?.['text']), /FIRING HighErrorRate: order fails &lt;7 %&gt; &amp; more/);
    assert.match(String(attachment?.['text']), /RESOLVED HighErrorRate/);
    await slack(options).send({ ...notification, status: 'resolved' });
    const [resolved] = (got.at(-1) as { body: { attachments: Record<string, unknown>[] } }).body.attachments;
    assert.equal(resolved?.['color'], 'good');
  });

  test('a refusal is an error with the answer, and without the secret path', async () => {
    status = 404;
    const sent = slack({ runtime, url: url('/services/T/B/secret'), externalUrl }).send(notification);
    await assert.rejects(sent, (thrown) => {
      assert.ok(thrown instanceof HeddleError);
      assert.equal(thrown.reason, 'NOT_DELIVERED');
      assert.match(thrown.message, /^127\.0\.0\.1:\d+: it answered 404: no_service$/);
      return true;
    });
    status = 200;
  });

  test('a receiver that is not there is an error too', async () => {
    const gone = await serve(
      async () => ({ status: 200, fields: new Fields(), body: wholeBody(new Uint8Array(0)) }),
      {
        runtime,
        address: { host: '127.0.0.1', port: 0 },
      },
    );
    const place = `http://127.0.0.1:${gone.address.port}/`;
    await gone.stop();
    const sent = webhook({ runtime, url: async () => place, externalUrl, maxAlerts: 0 }).send(notification);
    await assert.rejects(sent, /NOT_DELIVERED|127\.0\.0\.1:\d+: /);
  });
});
