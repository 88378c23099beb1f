import { hostPort, type Registry } from '@heddle/discovery';
import type { Part, Registration, Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { badConfig, Gateway, type GatewayConfig, loadGatewayConfig, readGatewayConfig } from '@heddle/proxy';
import { registration } from '@heddle/rpc';
import {
  MetricRegistry,
  metricsService,
  type Observed,
  observed,
  processMetrics,
  registrationGauge,
  telemetrySettings,
} from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import { DecisionLog, explainService } from '@heddle/upstream';
import { type HttpServer, type HttpService, serve } from '@heddle/wire';
import { type Command, usageError } from '../command.ts';
import { readTextFile } from '../node/config-file.ts';
import { runServer } from '../node/run-server.ts';
import { isPlace, readAddress, registryAt } from '../registry-access.ts';

/** `heddle gateway`. */
export const gateway: Command = {
  name: 'gateway',
  summary: 'Run a gateway from a configuration file, or check one: prints every problem with line and column',
  words: '[check]',
  options: {
    config: { type: 'string', value: 'FILE', help: 'Routes and limits, YAML or JSON' },
    port: { type: 'string', value: 'PORT', help: 'Where to listen, instead of listen.port of the file' },
    registry: {
      type: 'string',
      value: 'URL',
      help: 'For discovery:/// upstreams: a control plane’s host:port, or e.g. consul://host:8500',
    },
    check: { type: 'boolean', help: 'The same as the word "check"' },
  },
  examples: [
    'heddle gateway --config gateway.yaml --registry 127.0.0.1:8090',
    'heddle gateway check --config gateway.yaml',
  ],
  run: async (given, world) => {
    const file = given.text('config');
    if (file === undefined) throw usageError('"heddle gateway" needs --config FILE');
    if (given.words.some((word) => word !== 'check') || given.words.length > 1)
      throw usageError(`"heddle gateway" knows only the word "check", found "${given.words.join(' ')}"`);
    const content = readTextFile(file, 'gateway configuration');
    if (given.flag('check') || given.words.length > 0) {
      const config = readGatewayConfig(content, file);
      world.terminal.out(`${file}: ${config.routes.length} routes, no problems\n`);
      return 0;
    }
    const config = loadGatewayConfig(content, file);
    const bare = nodeRuntime({ name: 'gateway' });
    const at = given.text('registry') ?? process.env['HEDDLE_REGISTRY'];
    const { runtime, part } = observedGateway(bare, at);
    for (const { at, match, problems } of config.quarantined) {
      const instead =
        match === undefined ? 'and its requests may meet other routes' : 'and its requests are refused';
      runtime.log('error', `${at} is not served, ${instead}: ${badConfig(file, problems).message}`);
    }
    const registry = at === undefined ? undefined : await registryAt(at, runtime);
    const listen = { host: config.listen.host, port: given.port('port', config.listen.port) };
    return runGateway({ ...config, listen }, registry, { runtime, part }, world);
  },
};

async function runGateway(
  config: GatewayConfig,
  registry: Registry | undefined,
  { runtime, part }: Observed,
  world: Parameters<Command['run']>[1],
): Promise<number> {
  const metrics = new MetricRegistry();
  processMetrics(metrics, processReader());
  const decisions = new DecisionLog({ process: 'gateway' });
  const options = { config, runtime, metrics, decisions, secrets: (name: string) => process.env[name] };
  const engine = new Gateway(registry === undefined ? options : { ...options, registry });
  const front = listener('listener', engine.service, config.listen, runtime);
  // Never on the public port: what the metrics tell is for operators.
  const inside = operationsService(metricsService(metrics), decisions, engine);
  const operations = listener('operations', inside, { host: '127.0.0.1', port: 0 }, runtime);
  const upstreams: Part = {
    name: 'upstreams',
    start: () => Promise.resolve(),
    // Not while draining: requests that are still in flight need them.
    stop: async () => {
      await engine.drain();
      await registry?.close();
    },
  };
  const registrations: Registration[] = [leaving(engine)];
  if (registry !== undefined) {
    const instance = (): ReturnType<Parameters<typeof registration>[0]['instance']> => ({
      service: 'gateway',
      address: '127.0.0.1',
      port: front.address.port,
      protocol: 'http',
      metadata: {
        'metrics-port': String(operations.address.port),
        admin: `127.0.0.1:${operations.address.port}`,
      },
    });
    const check = { kind: 'http', path: '/readyz' } as const;
    const onRegistered = registrationGauge(metrics);
    registrations.push(registration({ runtime, registry, instance, check, onRegistered }));
  }
  const parts = [part, upstreams, operations, front];
  return runServer({ name: 'gateway', runtime, parts, registrations }, world, () => ({
    url: `http://${hostPort({ address: front.address.host, port: front.address.port })}`,
  }));
}

/** Sends its telemetry to the control plane that it gets its instances from, unless the environment says otherwise. */
function observedGateway(runtime: Runtime, registry: string | undefined): Observed {
  const plane = registry !== undefined && isPlace(registry) ? readAddress(registry, '--registry') : undefined;
  const settings = telemetrySettings(process.env, plane, (problem) => {
    throw usageError(problem);
  });
  const resource = { 'service.name': 'gateway', 'service.instance.id': `gateway-${process.pid}` };
  return observed(runtime, settings, resource, process.env['HEDDLE_REGISTRY_TOKEN']);
}

/** Metrics for whoever asks; decision records only for those with the token, without which there are none to be had. */
function operationsService(metrics: HttpService, decisions: DecisionLog, engine: Gateway): HttpService {
  const token = process.env['HEDDLE_ADMIN_TOKEN'] ?? '';
  if (token === '') return metrics;
  const explain = explainService(decisions, () => engine.stacks, token);
  return (req, call) => (req.path.startsWith('/explain') ? explain : metrics)(req, call);
}

/** The first step down: balancers in front see `/readyz` fail while requests are still served. */
function leaving(engine: Gateway): Registration {
  return {
    name: 'readiness',
    register: () => Promise.resolve(),
    deregister: async () => engine.leave(),
  };
}

function listener(
  name: string,
  service: HttpService,
  address: { host: string; port: number },
  runtime: Runtime,
): Part & { readonly address: { host: string; port: number } } {
  let server: HttpServer | undefined;
  return {
    name,
    get address() {
      return server?.address ?? address;
    },
    start: async () => {
      server = await serve(service, { runtime, address });
    },
    drain: async () => server?.drain(),
    stop: async () => server?.stop(),
  };
}
