import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import { lockFolder } from '@heddle/discovery/node';
import { type Address, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer, type ServerPart } from '@heddle/rpc';
import { isOtlp, MetricRegistry, metricsService, processMetrics, serverMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { HttpService } from '@heddle/wire';
import type { Command } from '../command.ts';
import { passwordSet } from '../control-plane/auth-first-user.ts';
import { type ConfigFront, configFront, isConfigRequest } from '../control-plane/config-front.ts';
import { type OpenConsole, openConsole } from '../control-plane/console.ts';
import { Observer } from '../control-plane/observer.ts';
import { type ControlPlaneTelemetry, controlPlaneTelemetry } from '../control-plane/telemetry.ts';
import { readTextFile } from '../node/config-file.ts';
import { loadSchemas } from '../node/config-schemas.ts';
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
  },
  examples: [
    'HEDDLE_REGISTRY_TOKEN=$(openssl rand -hex 32) heddle control-plane',
    'heddle control-plane --port 9090 --data /var/lib/heddle --host 10.0.0.5',
    'heddle control-plane --config-store etcd://127.0.0.1:2379/config --config-schemas schemas.ts',
  ],
  run: async (given, world) => {
    const dataFolder = given.text('data') ?? '.heddle/control-plane';
    const address = { host: given.text('host') ?? '127.0.0.1', port: given.port('port', 8090) };
    const runtime = nodeRuntime({ name: 'control-plane', dataFolder });
    const token = requireToken();
    await lockFolder(dataFolder);
    const registry = await embeddedRegistry(runtime);
    const telemetry = await controlPlaneTelemetry(runtime, dataFolder, token);
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
    const console = await openConsole({
      runtime,
      registry,
      observer,
      telemetry,
      token,
      assets: consoleAssets(),
      env: process.env,
      password: passwordSet(process.env, (file) => readTextFile(file, 'password')),
    });
    const server = frontOf(registry, console, telemetry, config, { runtime, token, address });
    const parts = [
      registryPart(registry),
      config.part,
      settings,
      ...telemetry.parts,
      observer,
      console.part,
      server,
    ];
    const facts = (): Record<string, string> => ({
      address: `${server.address.host}:${server.address.port}`,
      url: `http://${server.address.host}:${server.address.port}`,
      ...(console.madePassword !== undefined && { password: console.madePassword }),
    });
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

interface FrontOptions {
  readonly runtime: Runtime;
  readonly token: string;
  readonly address: Address;
}

/** One port for the registry's protocol and OTLP (with the token), the console and queries (signed in or with the token), and its own metrics. */
function frontOf(
  registry: EmbeddedRegistry,
  console: OpenConsole,
  telemetry: ControlPlaneTelemetry,
  config: ConfigFront,
  { runtime, token, address }: FrontOptions,
): ServerPart {
  const metrics = new MetricRegistry();
  processMetrics(metrics, processReader());
  const registryApi = registryService(registry, { token });
  const ownMetrics = metricsService(metrics);
  const service: HttpService = (req, call) => {
    if (isOtlp(req)) return telemetry.serviceFor(req)?.(req, call) ?? console.service(req, call);
    if (isConfigRequest(req)) return config.service(req, call);
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
