import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { simulatedRuntime } from '@heddle/kernel/simulated';
import { emptyBody, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { MetricRegistry } from '../../metrics/registry.ts';
import { MetricStore } from '../../store/metric-store.ts';
import { AlertEngine } from '../alert-engine.ts';
import { readNotifyConfig, tellNobody } from '../notify/notify-config.ts';
import { readRules } from '../rules/rule-document.ts';
import { alertmanagerApi } from './alertmanager-api.ts';
import { rulesApi } from './rules-api.ts';

const rules = `groups:
  - name: own
    interval: 10s
    rules:
      - {alert: There, expr: vector(7), for: 15s, labels: {job: order}}
      - {record: seven, expr: vector(7)}
`;
const token = 'a-token-of-this-test';

async function staged() {
  const runtime = simulatedRuntime();
  const store = new MetricStore();
  const source = async (): Promise<MetricStore> => store;
  const engine = new AlertEngine({
    runtime,
    reader: { sourceFor: source, sourceBetween: source },
    record: (labels, timeMs, value) => store.add(labels, timeMs, value),
    groups: readRules('own.yml', rules),
    config: readNotifyConfig('alertmanager.yml', tellNobody),
    channels: {},
    metrics: new MetricRegistry(),
    externalUrl: () => 'http://heddle',
  });
  await runtime.time.run(engine.start());
  const [ofRules, ofAlerts] = [rulesApi(engine), alertmanagerApi(engine, token)];
  const ask = async (
    method: string,
    path: string,
    { value, fields = {} }: { value?: unknown; fields?: Record<string, string> } = {},
  ): Promise<{ status: number; body: unknown }> => {
    const body = value === undefined ? emptyBody : wholeBody(new TextEncoder().encode(JSON.stringify(value)));
    const request: HttpRequest = {
      method,
      scheme: 'http',
      authority: 'a',
      path,
      fields: Fields.of(fields),
      body,
    };
    const service = path.startsWith('/api/v2/') ? ofAlerts : ofRules;
    const answer = await runtime.time.run(service(request, Call.root(runtime)));
    return {
      status: answer.status,
      body: JSON.parse(new TextDecoder().decode(await answer.body.bytes(100_000))),
    };
  };
  return { runtime, engine, ask };
}

const bearer = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

test('rules and their alerts are shown as Prometheus shows them', async () => {
  const { runtime, engine, ask } = await staged();
  await runtime.time.advance(11_000);
  const { body } = await ask('GET', '/api/v1/alerts');
  const { alerts } = (body as { data: { alerts: Record<string, unknown>[] } }).data;
  assert.deepEqual(
    alerts.map(({ labels, state, value }) => ({ labels, state, value })),
    [{ labels: { alertname: 'There', job: 'order' }, state: 'pending', value: '7' }],
  );
  await runtime.time.advance(20_000);
  const all = await ask('GET', '/api/v1/rules');
  const [group] = (all.body as { data: { groups: { rules: Record<string, unknown>[] }[] } }).data.groups;
  assert.deepEqual(
    group?.rules.map(({ name, type, health, state, duration }) => [name, type, health, state, duration]),
    [
      ['There', 'alerting', 'ok', 'firing', 15],
      ['seven', 'recording', 'ok', undefined, undefined],
    ],
  );
  assert.equal((await ask('GET', '/api/v1/rules?type=some')).status, 400);
  assert.equal((await ask('POST', '/api/v1/rules')).status, 405);
  await runtime.time.run(engine.stop());
});

test('what changes something needs the token, and JSON', async () => {
  const { ask } = await staged();
  const value = [{ labels: { alertname: 'A' } }];
  assert.equal((await ask('POST', '/api/v2/alerts', { value })).status, 401);
  const form = { ...bearer, 'content-type': 'text/plain' };
  assert.equal((await ask('POST', '/api/v2/alerts', { value, fields: form })).status, 400);
  assert.equal((await ask('POST', '/api/v2/alerts', { value, fields: bearer })).status, 200);
  assert.equal((await ask('DELETE', '/api/v2/silence/none', { fields: bearer })).status, 404);
  assert.equal((await ask('DELETE', '/api/v2/alerts', { fields: bearer })).status, 405);
});

test('a silence that is wrong is refused with everything that is wrong with it', async () => {
  const { ask } = await staged();
  const matchers = [{ name: '0', value: '(', isRegex: true }];
  const value = { matchers, endsAt: '2020-01-01T00:00:00Z', createdBy: 7 };
  const { status, body } = await ask('POST', '/api/v2/silences', { value, fields: bearer });
  assert.equal(status, 400);
  for (const part of ['matchers[0].name', 'matchers[0].value', 'endsAt', 'createdBy', 'comment'])
    assert.ok(String(body).includes(`${part}: expected`), `${part} in ${String(body)}`);
  const everything = { matchers: [{ name: 'a', value: '', isRegex: false }], endsAt: '2030-01-01T00:00:00Z' };
  const all = await ask('POST', '/api/v2/silences', {
    value: { ...everything, createdBy: '', comment: '' },
    fields: bearer,
  });
  assert.match(String(all.body), /at least one matcher that an alert without the label does not meet/);
});
