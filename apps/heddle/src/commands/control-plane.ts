import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import { lockFolder } from '@heddle/discovery/node';
import { type Address, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer, type ServerPart } from '@heddle/rpc';
import { isOtlp, MetricRegistry, metricsService, processMetrics, serverMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { HttpService } from '@heddle/wire';
import { type Command, type Given, usageError } from '../command.ts';
import { passwordSet } from '../control-plane/auth-first-user.ts';
import { type ApiPart, apiPart } from '../control-plane/api-part.ts';
import { isApiRequest } from '../control-plane/api-front.ts';
import { type ConfigFront, configFront, isConfigRequest } from '../control-plane/config-front.ts';
import { type OpenConsole, openConsole } from '../control-plane/console.ts';
import { Observer } from '../control-plane/observer.ts';
import { alertConfig } from '../control-plane/alerts.ts';
import { type ControlPlaneTelemetry, controlPlaneTelemetry } from '../control-plane/telemetry.ts';
import { readTextFile } from '../node/config-file.ts';
import { loadSchemas } from '../node/config-schemas.ts';
import { meshFolder } from '../control-plane/mesh/mesh-folder.ts';
import { type MeshPlane, meshPlane } from '../control-plane/mesh/mesh-plane.ts';
import { scopeOf, scopeOptions } from './mesh/scope-options.ts';
import { consoleAssets } from '../node/console-assets.ts';
import { controlPlaneDefaults, controlPlaneSettings } from '../settings/control-plane-settings.ts';
import { ownSettings } from '../settings/own-settings.ts';
import { runServer } from '../node/run-server.ts';
import { isSupervised } from '../node/tell-parent.ts';

/** `heddle control-plane`. */
export const controlPlane: Command = {
  name: 'control-plane',
  summary: 'Run the registry and the console',
  words: '',
  options: {
    port: {
      type: 'string',
      value: 'PORT',
      help: 'Where to listen; default 8090, 0: any free one',
    },
    host: {
      type: 'string',
      value: 'HOST',
      help: 'The address to listen on; default 127.0.0.1 (docs/security.md)',
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
    'config-store': {
      type: 'string',
      value: 'URL',
      help: 'Where the config centre keeps its values (docs/config.md); default HEDDLE_CONFIG_STORE, or no config centre',
    },
    'config-schemas': {
      type: 'string',
      value: 'FILE',
      help: 'A module whose export "schemas" says what places may hold',
    },
    mesh: {
      type: 'string',
      value: 'DIR',
      help: 'Rules of a mesh (Istio, Gateway API), a file or a folder that is watched: served to proxies by xDS',
    },
    ...scopeOptions,
  },
  examples: [
    'HEDDLE_REGISTRY_TOKEN=$(openssl rand -hex 32) heddle control-plane',
    'heddle control-plane --port 9090 --data /var/lib/heddle --host 10.0.0.5',
    'heddle control-plane --config-store etcd://127.0.0.1:2379/config --config-schemas schemas.ts',
    'heddle control-plane --mesh deploy/mesh',
  ],
  run: async (given, world) => {
    const dataFolder = given.text('data') ?? '.heddle/control-plane';
    const address = { host: given.text('host') ?? '127.0.0.1', port: given.port('port', 8090) };
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
    const config = await configFront({
      runtime,
      url: given.text('config-store') ?? process.env['HEDDLE_CONFIG_STORE'],
      secret: process.env['HEDDLE_CONFIG_STORE_TOKEN'],
      schemas: await loadSchemas(given.text('config-schemas')),
      readToken: token,
      writeToken: process.env['HEDDLE_ADMIN_TOKEN'],
    });
    const settings = await ownSettings({
      runtime,
      name: 'control-plane',
      schema: controlPlaneSettings,
      defaults: controlPlaneDefaults,
      store: config.store,
    });
    const api = await apiPart({
      runtime,
      registry,
      telemetry: telemetry.reader,
      settings: () => settings.client.current,
      adminToken: process.env['HEDDLE_ADMIN_TOKEN'],
    });
    const console = await openConsole({
      runtime,
      registry,
      observer,
      telemetry,
      centre: config.centre,
      queries: (req) => (isApiRequest(req) ? api.service : undefined),
      token,
      assets: consoleAssets(),
      env: process.env,
      password: passwordSet(process.env, (file) => readTextFile(file, 'password')),
    });
    const place = given.text('mesh');
    const mesh =
      place === undefined
        ? undefined
        : await meshPlane({ runtime, token, scope: scopeOf(given), ...meshFolder(place, runtime) });
    const own = mesh === undefined ? [] : [mesh.part];
    const server = frontOf(registry, console, telemetry, config, api, {
      runtime,
      token,
      address,
      mesh,
      metrics,
    });
    const parts = [
      registryPart(registry),
      config.part,
      settings,
      ...telemetry.parts,
      api.admission,
      observer,
      ...console.parts,
      ...own,
      server,
    ];
    const facts = (): Record<string, string> => {
      ({ port } = server.address);
      return {
        address: `${server.address.host}:${port}`,
        url: url(),
        ...(console.madePassword !== undefined && { password: console.madePassword }),
      };
    };
    if (console.madePassword !== undefined && !isSupervised())
      world.terminal.err(`sign in to the console as admin with ${console.madePassword} (shown this once)\n`);
    return runServer(
      { name: 'control-plane', runtime, parts, propagationMs: 0 },
      world,
      facts,
      ({ password: _, ...logged }) => logged,
    );
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
  /** Undefined: it serves none. */
  readonly mesh: MeshPlane | undefined;
  readonly metrics: MetricRegistry;
}

/** One port for the registry's protocol and OTLP (with the token), the console and queries (signed in or with the token), and its own metrics. */
function frontOf(
  registry: EmbeddedRegistry,
  console: OpenConsole,
  telemetry: ControlPlaneTelemetry,
  config: ConfigFront,
  api: ApiPart,
  { runtime, token, address, mesh, metrics }: FrontOptions,
): ServerPart {
  processMetrics(metrics, processReader());
  const registryApi = api.admission.before(registryService(registry, { token }));
  const ownMetrics = metricsService(metrics);
  const service: HttpService = (req, call) => {
    if (isOtlp(req)) return telemetry.serviceFor(req)?.(req, call) ?? console.service(req, call);
    // Reading is the console's to allow; changes show the admin token.
    if (isApiRequest(req) && req.method !== 'GET') return api.service(req, call);
    if (isConfigRequest(req)) return config.service(req, call);
    const ofMesh = mesh?.serviceFor(req);
    if (ofMesh !== undefined) return ofMesh(req, call);
    if (req.path.startsWith('/v1/')) return registryApi(req, call);
    return req.path === '/metrics' ? ownMetrics(req, call) : console.service(req, call);
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
