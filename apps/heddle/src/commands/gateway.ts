import { hostPort, type Registry } from '@heddle/discovery';
import { HeddleError, type Part, type Registration, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { readGatewayDocuments } from '@heddle/proxy';
import { registration } from '@heddle/rpc';
import { type Observed, observed, registrationGauge, telemetrySettings } from '@heddle/telemetry';
import { type HttpServer, type HttpService, serve } from '@heddle/wire';
import { type Command, type Given, usageError, type World } from '../command.ts';
import { LocalEngine } from '../gateway/local-engine.ts';
import { Operations } from '../gateway/operations.ts';
import { filesBeside } from '../node/config-file.ts';
import { readDocuments, watchDocuments } from '../node/config-documents.ts';
import { runServer } from '../node/run-server.ts';
import { isPlace, readAddress, registryAt } from '../registry-access.ts';

/** `heddle gateway`. */
export const gateway: Command = {
  name: 'gateway',
  summary: 'Run a gateway from a configuration file, or check one: prints every problem with line and column',
  words: '[check]',
  options: {
    config: {
      type: 'string',
      value: 'FILE',
      help: 'Routes and limits, YAML or JSON; a folder: all its files',
    },
    port: { type: 'string', value: 'PORT', help: 'Where to listen, instead of listen.port of the file' },
    'admin-port': {
      type: 'string',
      value: 'PORT',
      help: 'Where operators ask on 127.0.0.1, with the token in HEDDLE_ADMIN_TOKEN; default: any free one',
    },
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
    const place = given.text('config');
    if (place === undefined) throw usageError('"heddle gateway" needs --config FILE');
    if (given.words.some((word) => word !== 'check') || given.words.length > 1)
      throw usageError(`"heddle gateway" knows only the word "check", found "${given.words.join(' ')}"`);
    if (given.flag('check') || given.words.length > 0) {
      const config = readGatewayDocuments(readDocuments(place));
      world.terminal.out(`${place}: ${config.routes.length} routes, no problems\n`);
      return 0;
    }
    return runGateway(place, given, world);
  },
};

async function runGateway(place: string, given: Given, world: World): Promise<number> {
  const at = given.text('registry') ?? process.env['HEDDLE_REGISTRY'];
  const { runtime, part } = observedGateway(nodeRuntime({ name: 'gateway' }), at);
  const operations = new Operations({ runtime, read: () => readDocuments(place), token: adminToken(given) });
  const config = await operations.begin();
  const listen = { host: config.listen.host, port: given.port('port', config.listen.port) };
  const registry = at === undefined ? undefined : await registryAt(at, runtime);
  const engine = new LocalEngine({
    runtime,
    config: { ...config, listen },
    registry,
    files: filesBeside(place),
  });
  operations.serveBy(engine);
  // Never on the public port: what it tells is for operators.
  const admin = listener(
    operations.service,
    { host: '127.0.0.1', port: given.port('admin-port', 0) },
    runtime,
  );
  let stopWatching = (): void => {};
  const files: Part = {
    name: 'files',
    start: async () => {
      stopWatching = watchDocuments(place, runtime, () => void operations.look());
    },
    stop: async () => stopWatching(),
  };
  const registrations: Registration[] = [leaving(engine)];
  if (registry !== undefined) registrations.push(registered(engine, registry, admin, runtime));
  const parts = [part, ...engine.parts, admin, files];
  const url = (): Record<string, string> => ({
    url: urlOf(engine.address),
    admin: urlOf(admin.address),
  });
  const reload = (): void => {
    void operations.reload('SIGHUP').catch(() => undefined);
  };
  return runServer({ name: 'gateway', runtime, parts, registrations }, world, url, undefined, reload);
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

/** The admin API has no default for its token: who wants it on a port must say who may use it. */
function adminToken(given: Given): string | undefined {
  const token = process.env['HEDDLE_ADMIN_TOKEN'] ?? '';
  if (token !== '') return token;
  if (given.text('admin-port') === undefined) return undefined;
  const message =
    'HEDDLE_ADMIN_TOKEN is not set: it is the secret of those who use the admin API, and has no default';
  throw new HeddleError({ code: 'failed_precondition', reason: 'MISSING_SECRET', message, sent: false });
}

/** As `gateway` in the registry, for as long as it takes requests. */
function registered(
  engine: LocalEngine,
  registry: Registry,
  admin: { readonly address: { readonly port: number } },
  runtime: Runtime,
): Registration {
  const instance = (): ReturnType<Parameters<typeof registration>[0]['instance']> => ({
    service: 'gateway',
    address: '127.0.0.1',
    port: engine.address.port,
    protocol: 'http',
    metadata: {
      'metrics-port': String(admin.address.port),
      admin: `127.0.0.1:${admin.address.port}`,
    },
  });
  const check = { kind: 'http', path: '/readyz' } as const;
  const onRegistered = registrationGauge(engine.registered);
  return registration({ runtime, registry, instance, check, onRegistered });
}

/** The first step down: balancers in front see `/readyz` fail while requests are still served. */
function leaving({ gateway: engine }: LocalEngine): Registration {
  return {
    name: 'readiness',
    register: () => Promise.resolve(),
    deregister: async () => engine.leave(),
  };
}

function listener(
  service: HttpService,
  address: { host: string; port: number },
  runtime: Runtime,
): Part & { readonly address: { host: string; port: number } } {
  let server: HttpServer | undefined;
  return {
    name: 'admin',
    get address() {
      return server?.address ?? address;
    },
    start: async () => {
      server = await serve(service, { runtime, address });
    },
    stop: async () => server?.stop(),
  };
}

function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${hostPort({ address: host, port })}`;
}
