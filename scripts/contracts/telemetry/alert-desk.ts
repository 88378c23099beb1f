// An alert engine of ours that serves Alertmanager's API, and a receiver of webhooks: what the suites of alerts work with.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeRuntime } from '@heddle/kernel/node';
import {
  AlertEngine,
  alertmanagerApi,
  type Channel,
  isAlertmanagerCall,
  MetricRegistry,
  MetricStore,
  prometheusApi,
  readNotifyConfig,
  readRules,
  rulesApi,
  webhook,
} from '@heddle/telemetry';
import { emptyBody, Fields, type HttpServer, serve } from '@heddle/wire';

/** What changes something at `startDesk`'s API must show it. */
export const deskToken = 'a-token-for-the-desk-of-alerts';

/** A message as a webhook gets it. */
export interface WebhookMessage {
  readonly version: string;
  readonly status: string;
  readonly receiver: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly fingerprint: string;
  }[];
}

/** A receiver of webhooks. */
export interface Hook {
  readonly url: string;
  readonly messages: WebhookMessage[];
  stop(): Promise<void>;
}

/** Starts a receiver that keeps what it is told. */
export async function startHook(): Promise<Hook> {
  const runtime = nodeRuntime({ name: 'hook', logLevel: 'error' });
  const messages: WebhookMessage[] = [];
  const server = await serve(
    async ({ body }) => {
      messages.push(JSON.parse(new TextDecoder().decode(await body.bytes(1_048_576))) as WebhookMessage);
      return { status: 200, fields: new Fields(), body: emptyBody };
    },
    { runtime, address: { host: '127.0.0.1', port: 0 } },
  );
  return { url: `http://127.0.0.1:${server.address.port}/hook`, messages, stop: () => server.stop() };
}

/** Waits for what must come; rejects with what there was after half a minute. */
export async function until(holds: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  for (let turn = 0; turn < 600; turn++) {
    if (await holds()) return;
    await delay(50);
  }
  throw new Error(what());
}

/** What a desk is made from. */
export interface DeskOptions {
  /** Alertmanager's configuration. */
  readonly configuration: string;
  /** A document of rules. Default none. */
  readonly rules?: string;
  /** By receiver; default: its webhooks. */
  readonly channels?: Readonly<Record<string, readonly Channel[]>>;
}

/** An engine that runs. */
export interface Desk {
  readonly engine: AlertEngine;
  readonly metrics: MetricStore;
  readonly origin: string;
  stop(): Promise<void>;
}

/** Starts an engine over an empty store, with its APIs on loopback. */
export async function startDesk({
  configuration,
  rules = 'groups: []',
  channels,
}: DeskOptions): Promise<Desk> {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'heddle-alerts-'));
  const runtime = nodeRuntime({ name: 'alerts', dataFolder, logLevel: 'error' });
  const metrics = new MetricStore();
  const source = async (): Promise<MetricStore> => metrics;
  const reader = { sourceFor: source, sourceBetween: source };
  const config = readNotifyConfig('alertmanager.yml', configuration);
  const externalUrl = (): string => 'http://127.0.0.1:8090';
  const hooks = config.receivers.map(({ name, channels: all }) => {
    const urls = all.flatMap((each) => (each.kind === 'webhook' ? [each.url.value ?? ''] : []));
    return [
      name,
      urls.map((url) => webhook({ runtime, url: async () => url, externalUrl, maxAlerts: 0 })),
    ] as const;
  });
  const engine = new AlertEngine({
    runtime,
    reader,
    record: (labels, timeMs, value) => metrics.add(labels, timeMs, value),
    groups: readRules('rules.yml', rules),
    config,
    channels: channels ?? Object.fromEntries(hooks),
    metrics: new MetricRegistry(),
    externalUrl,
  });
  await engine.start();
  const ofAlerts = alertmanagerApi(engine, deskToken);
  const ofRules = rulesApi(engine);
  const ofMetrics = prometheusApi(reader, runtime.clock);
  const server: HttpServer = await serve(
    (request, call) => {
      const ofRuleApi = /^\/api\/v1\/(rules|alerts)\b/.test(request.path) ? ofRules : ofMetrics;
      return (isAlertmanagerCall(request) ? ofAlerts : ofRuleApi)(request, call);
    },
    { runtime, address: { host: '127.0.0.1', port: 0 } },
  );
  return {
    engine,
    metrics,
    origin: `http://127.0.0.1:${server.address.port}`,
    stop: async () => {
      await engine.stop();
      await server.stop();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}
