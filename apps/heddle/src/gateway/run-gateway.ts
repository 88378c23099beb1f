import { hostPort, type Registry } from '@heddle/discovery';
import type { Part, Registration, Runtime } from '@heddle/kernel';
import type { GatewayConfig, RouteConfig } from '@heddle/proxy';
import { registration } from '@heddle/rpc';
import { MetricRegistry, processMetrics, registrationGauge } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import { type HttpServer, type HttpService, serve } from '@heddle/wire';
import type { World } from '../command.ts';
import { forkWorker } from '../node/cluster-workers.ts';
import { readDocuments, watchDocuments } from '../node/config-documents.ts';
import { folderOf } from '../node/config-file.ts';
import { runServer } from '../node/run-server.ts';
import { readTlsFiles, tlsFolders } from '../node/tls-files.ts';
import type { GatewaySettings } from '../settings/gateway-settings.ts';
import type { OwnSettings } from '../settings/own-settings.ts';
import type { Engines } from './engines.ts';
import { LocalEngine } from './local-engine.ts';
import { withManagedKeys } from './managed-keys.ts';
import type { Serving } from './serving.ts';
import { Operations } from './operations.ts';
import { WorkerGroup } from './worker-group.ts';

/** How a gateway is run. */
export interface GatewayRun {
  /** The configuration: a file or a folder. */
  readonly place: string;
  /** Instead of `listen.port`. */
  readonly port: number | undefined;
  readonly adminPort: number;
  /** Of the admin API; undefined: there is none. */
  readonly token: string | undefined;
  /** 1: this process serves itself. */
  readonly workers: number;
  readonly registry: Registry | undefined;
  /** Sends spans and log lines on. */
  readonly telemetry: Part;
  /** Gives the files that the configuration names. */
  readonly files: (name: string) => Uint8Array | undefined;
  /** What can be set while it runs. */
  readonly settings: OwnSettings<GatewaySettings>;
}

/** What serves, as the rest sees it. */
interface Front {
  readonly engines: Engines;
  readonly parts: readonly Part[];
  readonly address: () => { readonly host: string; readonly port: number };
  readonly leave: () => void;
  /** Where the registration is counted. */
  readonly metrics: MetricRegistry;
}

/** Runs a gateway until a signal stops it. Gives the exit code; rejects if it cannot start. */
export async function runGateway(run: GatewayRun, runtime: Runtime, world: World): Promise<number> {
  const { place, registry, token, settings } = run;
  // Before anything is served: a key that was taken back must not open anything for a moment.
  await settings.start();
  const folder = folderOf(place);
  const operations = new Operations({
    runtime,
    token,
    read: () => readDocuments(place),
    readTls: (config) => readTlsFiles(config, folder),
    overlay: (config) => withManagedKeys(config, settings.client.current.apiKeys),
    settings: () => settings.shown(),
  });
  const { config, tls } = await operations.begin();
  if (registry === undefined) tellWhoNeedsOne(config, runtime);
  const listen = { host: config.listen.host, port: run.port ?? config.listen.port };
  const front = frontOf({ config: { ...config, listen }, tls }, run, runtime);
  operations.serveBy(front.engines);
  settings.client.onChange(() => void operations.settingsChanged());
  const settingsPart: Part = { ...settings, start: () => Promise.resolve() };
  // Never on the public port: what it tells is for operators.
  const admin = adminPart(operations.service, run.adminPort, runtime);
  const files = watchPart([place, ...tlsFolders(config, folder)], runtime, () => void operations.look());
  const registrations: Registration[] = [
    { name: 'readiness', register: () => Promise.resolve(), deregister: async () => front.leave() },
  ];
  if (registry !== undefined) registrations.push(registered(front, registry, admin, runtime));
  const scheme = tls.listen === undefined ? 'http' : 'https';
  const ports = [...new Set(config.servers.map(({ port }) => port))];
  return runServer(
    {
      name: 'gateway',
      runtime,
      parts: [run.telemetry, settingsPart, ...front.parts, admin, files],
      registrations,
    },
    world,
    () => ({
      url: urlOf(scheme, front.address()),
      ...(ports.length > 0 && {
        tls: ports.map((port) => urlOf('https', { host: listen.host, port })).join(' '),
      }),
      admin: urlOf('http', admin.address),
    }),
    undefined,
    () => void operations.reload('SIGHUP').catch(() => undefined),
  );
}

/** Those routes are refused one by one; what is missing is said once. */
function tellWhoNeedsOne({ upstreams, routes }: GatewayConfig, runtime: Runtime): void {
  const named = Object.values(upstreams).map(({ target }) => target);
  const targets = [...named, ...routes.flatMap(({ action }) => targetsOf(action))];
  if (targets.some((target) => target.startsWith('discovery:')))
    runtime.log('error', 'there are upstreams of a registry, and none was given: --registry HOST:PORT');
}

function targetsOf(action: RouteConfig['action']): string[] {
  return action.kind === 'forward'
    ? [...action.shares, ...action.variants].map(({ upstream }) => upstream)
    : [];
}

/** The engine of this process, or workers. */
function frontOf(serving: Serving, { workers, registry, files }: GatewayRun, runtime: Runtime): Front {
  if (workers === 1) {
    const engine = new LocalEngine({ ...serving, runtime, registry, files });
    return {
      engines: engine,
      parts: engine.parts,
      address: () => engine.address,
      leave: () => engine.gateway.leave(),
      metrics: engine.registered,
    };
  }
  const metrics = new MetricRegistry();
  processMetrics(metrics, processReader());
  const group = new WorkerGroup({ runtime, count: workers, serving, fork: forkWorker, metrics });
  const closing: Part = {
    name: 'registry',
    start: () => Promise.resolve(),
    stop: async () => registry?.close(),
  };
  return {
    engines: group,
    parts: [closing, group],
    address: () => group.address,
    leave: () => group.leave(),
    metrics,
  };
}

/** As `gateway` in the registry, for as long as it takes requests. */
function registered(
  front: Front,
  registry: Registry,
  admin: { readonly address: { readonly port: number } },
  runtime: Runtime,
): Registration {
  const instance = (): ReturnType<Parameters<typeof registration>[0]['instance']> => ({
    service: 'gateway',
    address: '127.0.0.1',
    port: front.address().port,
    protocol: 'http',
    metadata: {
      'metrics-port': String(admin.address.port),
      admin: `127.0.0.1:${admin.address.port}`,
    },
  });
  const check = { kind: 'http', path: '/readyz' } as const;
  const onRegistered = registrationGauge(front.metrics);
  return registration({ runtime, registry, instance, check, onRegistered });
}

function watchPart(places: readonly string[], runtime: Runtime, changed: () => void): Part {
  let watches: readonly (() => void)[] = [];
  return {
    name: 'files',
    start: async () => {
      watches = places.map((place) => watchDocuments(place, runtime, changed));
    },
    stop: async () => {
      for (const stop of watches) stop();
    },
  };
}

function adminPart(
  service: HttpService,
  port: number,
  runtime: Runtime,
): Part & { readonly address: { host: string; port: number } } {
  let server: HttpServer | undefined;
  const address = { host: '127.0.0.1', port };
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

function urlOf(scheme: string, { host, port }: { readonly host: string; readonly port: number }): string {
  return `${scheme}://${hostPort({ address: host, port })}`;
}
