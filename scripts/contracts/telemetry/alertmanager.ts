// A real Prometheus evaluates the rules that we write out and alerts through a real Alertmanager; it alerts through us, too;
// amtool and promtool work against us; and to the same alerts Alertmanager and we answer alike.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import {
  dashboards,
  defaultRules,
  Labels,
  MetricRegistry,
  metricsService,
  readRules,
  writeRules,
} from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { alertmanager, amtool } from '../../engines/alertmanager.ts';
import { lastWords, run } from '../../engines/command.ts';
import { isMissing, obtain, type Running } from '../../engines/engine.ts';
import { prometheus } from '../../engines/prometheus.ts';
import { promtool } from '../../engines/promtool.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import {
  type Desk,
  deskToken,
  type Hook,
  startDesk,
  startHook,
  until,
  type WebhookMessage,
} from './alert-desk.ts';

const backend = 'alertmanager';

const configurationFor = (hook: Hook): string => `
route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: hook
    webhook_configs: [{url: "${hook.url}"}]
`;

const rules = `groups:
  - name: shop
    interval: 1s
    rules:
      - record: job:queue_depth:sum
        expr: sum by (job) (queue_depth)
      - alert: QueueFull
        expr: job:queue_depth:sum > 10
        for: 2s
        labels: {severity: critical}
        annotations: {summary: '{{ $labels.job }} has {{ $value | humanize }} waiting'}
`;

/** What the cases share. */
interface Stage {
  readonly hook: Hook;
  readonly theirs: Running;
  readonly desk: Desk;
  readonly folder: string;
}

/** The suite. */
export const alertmanagerContract: Contract = {
  backend,
  run: async () => {
    const found = await obtain(alertmanager);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const hook = await startHook();
    const configuration = configurationFor(hook);
    const folder = mkdtempSync(path.join(tmpdir(), 'heddle-alertmanager-'));
    writeFileSync(path.join(folder, 'alertmanager.yml'), configuration);
    const theirs = await alertmanager.start({ configuration });
    const desk = await startDesk({ configuration });
    const stage: Stage = { hook, theirs, desk, folder };
    try {
      const results: ContractResult[] = [];
      for (const [name, each] of Object.entries(cases))
        results.push(await resultOf(backend, found.version, name, () => each(stage)));
      return [...results, ...(await toolCases(stage)), ...(await prometheusCases(stage))];
    } finally {
      await desk.stop();
      await theirs.stop();
      await hook.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const originOf = ({ address }: Running): string => `http://${address.host}:${address.port}`;

async function post(origin: string, where: string, value: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${deskToken}` };
  return fetch(`${origin}${where}`, { method: 'POST', headers, body: JSON.stringify(value) });
}

const cases: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'alerts are shown alike': async ({ theirs, desk }) => {
    const alerts = [
      { labels: { alertname: 'Test' } },
      {
        labels: { alertname: 'Ünï', job: 'order', instance: '10.0.0.1:80' },
        annotations: { summary: 'a "b"' },
      },
    ];
    const shapes = await Promise.all(
      [originOf(theirs), desk.origin].map(async (origin) => {
        const answer = await post(origin, '/api/v2/alerts', alerts);
        if (answer.status !== 200)
          throw new Error(`${origin} answered ${answer.status}: ${await answer.text()}`);
        const shown = (await (await fetch(`${origin}/api/v2/alerts`)).json()) as Record<string, unknown>[];
        // Newer versions of Alertmanager have a list more.
        return JSON.stringify(shown.toSorted(byFingerprint).map(shapeOf));
      }),
    );
    alike(shapes);
  },
  'webhooks are told alike': async ({ hook }) => {
    const of = (): WebhookMessage[] =>
      hook.messages.filter(({ groupLabels }) => groupLabels['alertname'] === 'Test');
    await until(
      () => of().length >= 2,
      () => `two messages wanted: ${JSON.stringify(hook.messages)}`,
    );
    alike(
      of()
        .slice(0, 2)
        .map((each) => JSON.stringify(shapeOf(each as unknown as Record<string, unknown>))),
    );
  },
  'silences are shown alike': async ({ theirs, desk }) => {
    const silence = {
      matchers: [{ name: 'alertname', value: 'Te.*', isRegex: true, isEqual: true }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      createdBy: 'suite',
      comment: 'alike',
    };
    const shapes = await Promise.all(
      [originOf(theirs), desk.origin].map(async (origin) => {
        const { silenceID } = (await (await post(origin, '/api/v2/silences', silence)).json()) as {
          silenceID: string;
        };
        const shown = await (await fetch(`${origin}/api/v2/silence/${silenceID}`)).json();
        const filter = new URLSearchParams({ silenced: 'false' }).toString();
        const left = (await (await fetch(`${origin}/api/v2/alerts?${filter}`)).json()) as unknown[];
        const headers = { authorization: `Bearer ${deskToken}` };
        const ended = await fetch(`${origin}/api/v2/silence/${silenceID}`, { method: 'DELETE', headers });
        const after = (await (await fetch(`${origin}/api/v2/silence/${silenceID}`)).json()) as {
          status: unknown;
        };
        return JSON.stringify([
          shapeOf(shown as Record<string, unknown>),
          left.length,
          ended.status,
          after.status,
        ]);
      }),
    );
    alike(shapes);
  },
  'what is wrong is refused': async ({ theirs, desk }) => {
    const wrong = [[{ labels: {} }], [{ labels: { a: 'b' }, startsAt: 'yesterday' }]];
    for (const each of wrong)
      for (const origin of [originOf(theirs), desk.origin]) {
        const { status } = await post(origin, '/api/v2/alerts', each);
        if (status < 400 || status > 499)
          throw new Error(`${origin} answered ${status} to ${JSON.stringify(each)}`);
      }
    const without = await fetch(`${desk.origin}/api/v2/alerts`, { method: 'POST', body: '[]' });
    if (without.status !== 401) throw new Error(`without the token we answered ${without.status}`);
  },
};

function byFingerprint(a: Record<string, unknown>, b: Record<string, unknown>): number {
  return String(a['fingerprint']) < String(b['fingerprint']) ? -1 : 1;
}

/** A message without what differs from one to the other: times, ids and whose it is. */
function shapeOf(value: Readonly<Record<string, unknown>>): unknown {
  const differs = new Set(['id', 'groupKey', 'externalURL', 'generatorURL', 'mutedBy']);
  const entries = Object.entries(value).flatMap(([key, each]): [string, unknown][] => {
    if (differs.has(key)) return [];
    if (key.endsWith('At')) return [[key, 'a time']];
    if (Array.isArray(each)) return [[key, each.map((one) => (isObject(one) ? shapeOf(one) : one))]];
    return [[key, isObject(each) ? shapeOf(each) : each]];
  });
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function alike([theirs, ours]: readonly string[]): void {
  if (theirs !== ours) throw new Error(`theirs: ${theirs}\nours:   ${ours}`);
}

async function toolCases({ desk, folder }: Stage): Promise<readonly ContractResult[]> {
  const found = await obtain(amtool);
  if (isMissing(found)) return skippedWhole(backend, found.missing);
  const http = path.join(folder, 'http.yml');
  writeFileSync(http, `authorization: {credentials: ${deskToken}}\n`);
  const says = async (pattern: RegExp, ...args: readonly string[]): Promise<RegExpExecArray> => {
    const place = [`--alertmanager.url=${desk.origin}`, `--http.config.file=${http}`];
    const ended = await run(found.path, [...args, ...place], { timeoutMs: 60_000 });
    const match = pattern.exec(ended.output);
    if (ended.code !== 0 || match === null) throw new Error(lastWords(ended.output));
    return match;
  };
  let silence = '';
  const tools: Readonly<Record<string, () => Promise<unknown>>> = {
    'amtool alert add': () =>
      says(/^/, 'alert', 'add', 'alertname=Added', 'job=payment', '--annotation=summary=by hand'),
    'amtool alert query': () => says(/Added\s.*by hand\s+active/, 'alert', 'query', 'alertname=Added'),
    'amtool silence add': async () => {
      [silence] = await says(
        /[0-9a-f-]{36}/,
        'silence',
        'add',
        'alertname=Added',
        '--comment=c',
        '--author=me',
      );
    },
    'amtool silence query': () => says(new RegExp(silence), 'silence', 'query', 'alertname=Added'),
    'amtool alert query, silenced': () => says(/^((?!Added)[^])*$/, 'alert', 'query'),
    'amtool silence expire': async () => {
      await says(/^/, 'silence', 'expire', silence);
      await says(/Added/, 'alert', 'query', 'alertname=Added');
    },
    'amtool config show': () => says(/group_by: \[alertname\]/, 'config', 'show'),
    'amtool check-config reads what we read': async () => {
      const ended = await run(found.path, ['check-config', path.join(folder, 'alertmanager.yml')]);
      if (ended.code !== 0) throw new Error(lastWords(ended.output));
    },
  };
  const results: ContractResult[] = [];
  for (const [name, each] of Object.entries(tools))
    results.push(await resultOf(backend, found.version, name, async () => void (await each())));
  return results;
}

async function prometheusCases(stage: Stage): Promise<readonly ContractResult[]> {
  const [server, tool] = [await obtain(prometheus), await obtain(promtool)];
  if (isMissing(server)) return skippedWhole(backend, server.missing);
  if (isMissing(tool)) return skippedWhole(backend, tool.missing);
  const check = (text: string) => async (): Promise<void> => {
    const file = path.join(stage.folder, 'exported.yml');
    writeFileSync(file, text);
    const ended = await run(tool.path, ['check', 'rules', file], { timeoutMs: 60_000 });
    if (ended.code !== 0 || !/SUCCESS/.test(ended.output)) throw new Error(lastWords(ended.output));
  };
  const version = server.version;
  return [
    await resultOf(
      backend,
      version,
      'promtool checks the exported rules',
      check(writeRules(readRules('d', defaultRules))),
    ),
    await resultOf(backend, version, 'promtool checks the dashboards', check(dashboardRules())),
    await resultOf(backend, version, 'Prometheus alerts by our rules', () => alerting(stage)),
    await resultOf(backend, version, 'our engine alerts by the same rules', () => ownAlert(stage)),
  ];
}

/** Every expression of every dashboard as a rule: Prometheus' checker reads expressions only there. */
function dashboardRules(): string {
  const all = dashboards.flatMap(({ panels }) =>
    panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
  );
  const written = all.map((expr, at) => ({
    record: `panel:${at}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }));
  return JSON.stringify({ groups: [{ name: 'dashboards', rules: written }] });
}

async function startTarget(depth: { value: number }): Promise<HttpServer> {
  const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
  const registry = new MetricRegistry();
  const gauge = registry.gauge({ name: 'queue_depth', help: 'Waiting.' }).series();
  registry.beforeExposition(() => gauge.set(depth.value));
  return serve(metricsService(registry), { runtime, address: { host: '127.0.0.1', port: 0 } });
}

/** To Alertmanager and to us at once, and from both to the webhook: begin and end. */
async function alerting({ hook, theirs, desk }: Stage): Promise<void> {
  const depth = { value: 25 };
  const target = await startTarget(depth);
  const ours = new URL(desk.origin).host;
  const configuration = `alerting:
  alertmanagers:
    - static_configs: [{targets: ["${theirs.address.host}:${theirs.address.port}"]}]
    - static_configs: [{targets: ["${ours}"]}]
      authorization: {credentials: ${deskToken}}`;
  const peer = await prometheus.start({
    targets: [`127.0.0.1:${target.address.port}`],
    interval: '1s',
    configuration,
    rules: { 'exported.yml': writeRules(readRules('rules.yml', rules)) },
  });
  try {
    const told = (status: string): WebhookMessage[] =>
      hook.messages.filter((each) => each.groupLabels['alertname'] === 'QueueFull' && each.status === status);
    await until(
      () => told('firing').length >= 2,
      () => `two to be told that it fires: ${JSON.stringify(hook.messages)}`,
    );
    const prints = new Set(
      told('firing').flatMap(({ alerts }) => alerts.map(({ fingerprint }) => fingerprint)),
    );
    if (prints.size !== 1) throw new Error(`one alert has ${prints.size} fingerprints`);
    depth.value = 3;
    await until(
      () => told('resolved').length >= 2,
      () => `two to be told of the end: ${JSON.stringify(hook.messages)}`,
    );
  } finally {
    await peer.stop();
    await target.stop();
  }
}

/** The same rules over our own store, on the real clock. */
async function ownAlert({ hook }: Stage): Promise<void> {
  const ownHook = await startHook();
  const desk = await startDesk({ configuration: configurationFor(ownHook), rules });
  let depth = 25;
  const labels = Labels.of({ __name__: 'queue_depth', job: 'heddle' });
  const timer = setInterval(() => desk.metrics.add(labels, Date.now(), depth), 200);
  try {
    const of = (status: string): WebhookMessage | undefined =>
      ownHook.messages.find((each) => each.status === status);
    await until(
      () => of('firing') !== undefined,
      () => 'it was to fire',
    );
    depth = 3;
    await until(
      () => of('resolved') !== undefined,
      () => 'it was to end',
    );
    const theirs = hook.messages.find(({ groupLabels }) => groupLabels['alertname'] === 'QueueFull');
    const keys = (message: WebhookMessage | undefined): string =>
      Object.keys(message ?? {})
        .toSorted()
        .join(' ');
    if (theirs !== undefined) alike([keys(theirs), keys(of('firing'))]);
  } finally {
    clearInterval(timer);
    await desk.stop();
    await ownHook.stop();
  }
}
