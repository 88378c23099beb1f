import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import { lockFolder } from '@heddle/discovery/node';
import { type Address, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer, type ServerPart } from '@heddle/rpc';
import { MetricRegistry, metricsService, processMetrics, serverMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { HttpService } from '@heddle/wire';
import { type Command, type Given, usageError } from '../command.ts';
import { consoleService } from '../control-plane/console-service.ts';
import { Observer } from '../control-plane/observer.ts';
import { alertConfig } from '../control-plane/alerts.ts';
import { type ControlPlaneTelemetry, controlPlaneTelemetry } from '../control-plane/telemetry.ts';
import { consoleAssets } from '../node/console-assets.ts';
import { runServer } from '../node/run-server.ts';

/** `heddle control-plane`. */
export const controlPlane: Command = {
  name: 'control-plane',
  summary: 'Run the registry and the console',
  words: '',
  options: {
    port: {
      type: 'string',
      value: 'PORT',
      help: 'Where to listen on 127.0.0.1; default 8090, 0: any free one',
    },
    data: { type: 'string', value: 'DIR', help: 'Where the registry is kept; default .heddle/control-plane' },
    'log-store': {
      type: 'string',
      value: 'URL',
      help: 'OpenSearch or Elasticsearch that gets all log lines too; HEDDLE_LOG_STORE_AUTHORIZATION is its header',
    },
    alerts: {
      type: 'string',
      value: 'DIR',
      help: 'Rules of alerts, and in alertmanager.yml who is told; default: the default rules, and nobody',
    },
  },
  examples: [
    'HEDDLE_REGISTRY_TOKEN=$(openssl rand -hex 32) heddle control-plane',
    'heddle control-plane --port 9090 --data /var/lib/heddle',
  ],
  run: async (given, world) => {
    const dataFolder = given.text('data') ?? '.heddle/control-plane';
    const address = { host: '127.0.0.1', port: given.port('port', 8090) };
    const runtime = nodeRuntime({ name: 'control-plane', dataFolder });
    const token = requireToken();
    const alerts = alertConfig(given.text('alerts'));
    const logStore = logStoreOf(given);
    await lockFolder(dataFolder);
    const registry = await embeddedRegistry(runtime);
    const metrics = new MetricRegistry();
    let port = address.port;
    const url = (): string => `http://${address.host}:${port}`;
    const telemetry = await controlPlaneTelemetry(runtime, {
      dataFolder,
      token,
      alerts,
      registry: metrics,
      url,
      logStore,
    });
    const observer = new Observer(runtime, registry, telemetry.onScrape);
    const server = frontOf(registry, observer, telemetry, { runtime, token, address, metrics });
    const parts = [registryPart(registry), ...telemetry.parts, observer, server];
    return runServer({ name: 'control-plane', runtime, parts, propagationMs: 0 }, world, () => {
      ({ port } = server.address);
      return { address: `${server.address.host}:${port}`, url: url() };
    });
  },
};

/** A secret comes by the environment, where no process list shows it. */
function logStoreOf(given: Given): { url: string; authorization: string | undefined } | undefined {
  const url = given.text('log-store');
  if (url === undefined) return undefined;
  if (!/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(url))
    throw usageError(
      `--log-store expects a URL such as http://127.0.0.1:9200, without a password, found "${url}"`,
    );
  return { url, authorization: process.env['HEDDLE_LOG_STORE_AUTHORIZATION'] };
}

interface FrontOptions {
  readonly runtime: Runtime;
  readonly token: string;
  readonly address: Address;
  readonly metrics: MetricRegistry;
}

/** One port for the registry's protocol and OTLP (with the token), the console and queries (read only), and its own metrics. */
function frontOf(
  registry: EmbeddedRegistry,
  observer: Observer,
  telemetry: ControlPlaneTelemetry,
  { runtime, token, address, metrics }: FrontOptions,
): ServerPart {
  processMetrics(metrics, processReader());
  const registryApi = registryService(registry, { token });
  const ownMetrics = metricsService(metrics);
  const console = consoleService(consoleAssets(), observer);
  const service: HttpService = (req, call) => {
    const ofTelemetry = telemetry.serviceFor(req);
    if (ofTelemetry !== undefined) return ofTelemetry(req, call);
    if (req.path.startsWith('/v1/')) return registryApi(req, call);
    return req.path === '/metrics' ? ownMetrics(req, call) : console(req, call);
  };
  // Each watch and each open console is a call that lasts.
  const maxCalls = 20_000;
  return httpServer(service, {
    runtime,
    address,
    maxCalls,
    observe: serverMetrics(metrics, { service: 'control-plane' }),
  });
}

/** Closed while draining, since its watches would otherwise keep the server's connections busy. */
function registryPart(registry: EmbeddedRegistry): Part {
  return {
    name: 'registry',
    start: () => Promise.resolve(),
    drain: () => registry.close(),
    stop: () => registry.close(),
  };
}

function requireToken(): string {
  const token = process.env['HEDDLE_REGISTRY_TOKEN'] ?? '';
  if (/^[\x21-\x7e]{16,256}$/.test(token)) return token;
  const message =
    'HEDDLE_REGISTRY_TOKEN is not set to 16 to 256 visible characters. It is the secret that every program needs to ' +
    'use the registry, and has no default; make one with: openssl rand -hex 32';
  throw new HeddleError({ code: 'failed_precondition', reason: 'NO_TOKEN', message });
}
