import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import { lockFolder } from '@heddle/discovery/node';
import { type Address, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer, type ServerPart } from '@heddle/rpc';
import { MetricRegistry, metricsService, processMetrics, serverMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { HttpService } from '@heddle/wire';
import type { Command } from '../command.ts';
import { consoleService } from '../control-plane/console-service.ts';
import { Observer } from '../control-plane/observer.ts';
import { type ControlPlaneTelemetry, controlPlaneTelemetry } from '../control-plane/telemetry.ts';
import { meshFolder } from '../control-plane/mesh/mesh-folder.ts';
import { type MeshPlane, meshPlane } from '../control-plane/mesh/mesh-plane.ts';
import { scopeOf, scopeOptions } from './mesh/scope-options.ts';
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
    mesh: {
      type: 'string',
      value: 'DIR',
      help: 'Rules of a mesh (Istio, Gateway API), a file or a folder that is watched: served to proxies by xDS',
    },
    ...scopeOptions,
  },
  examples: [
    'HEDDLE_REGISTRY_TOKEN=$(openssl rand -hex 32) heddle control-plane',
    'heddle control-plane --port 9090 --data /var/lib/heddle',
    'heddle control-plane --mesh deploy/mesh',
  ],
  run: async (given, world) => {
    const dataFolder = given.text('data') ?? '.heddle/control-plane';
    const address = { host: '127.0.0.1', port: given.port('port', 8090) };
    const runtime = nodeRuntime({ name: 'control-plane', dataFolder });
    const token = requireToken();
    await lockFolder(dataFolder);
    const registry = await embeddedRegistry(runtime);
    const telemetry = await controlPlaneTelemetry(runtime, dataFolder, token);
    const observer = new Observer(runtime, registry, telemetry.onScrape);
    const place = given.text('mesh');
    const mesh =
      place === undefined
        ? undefined
        : await meshPlane({ runtime, token, scope: scopeOf(given), ...meshFolder(place, runtime) });
    const server = frontOf(registry, observer, telemetry, { runtime, token, address, mesh });
    const own = mesh === undefined ? [] : [mesh.part];
    const parts = [registryPart(registry), ...telemetry.parts, observer, ...own, server];
    return runServer({ name: 'control-plane', runtime, parts, propagationMs: 0 }, world, () => ({
      address: `${server.address.host}:${server.address.port}`,
      url: `http://${server.address.host}:${server.address.port}`,
    }));
  },
};

interface FrontOptions {
  readonly runtime: Runtime;
  readonly token: string;
  readonly address: Address;
  /** Undefined: it serves none. */
  readonly mesh: MeshPlane | undefined;
}

/** One port for the registry's protocol and OTLP (with the token), the console and queries (read only), and its own metrics. */
function frontOf(
  registry: EmbeddedRegistry,
  observer: Observer,
  telemetry: ControlPlaneTelemetry,
  { runtime, token, address, mesh }: FrontOptions,
): ServerPart {
  const metrics = new MetricRegistry();
  processMetrics(metrics, processReader());
  const registryApi = registryService(registry, { token });
  const ownMetrics = metricsService(metrics);
  const console = consoleService(consoleAssets(), observer);
  const service: HttpService = (req, call) => {
    const ofTelemetry = telemetry.serviceFor(req);
    if (ofTelemetry !== undefined) return ofTelemetry(req, call);
    const ofMesh = mesh?.serviceFor(req);
    if (ofMesh !== undefined) return ofMesh(req, call);
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
