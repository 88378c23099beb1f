import type { DescService } from '@bufbuild/protobuf';
import { type Contract, contractAnswer, contractKey, contractPath, httpContract } from '@heddle/api';
import { type Client, createClient } from '@connectrpc/connect';
import { type Migration, migrate, type SqlPool, sqlPool } from '@heddle/sql';
import type { Registry } from '@heddle/discovery';
import { remoteRegistry } from '@heddle/discovery/node';
import { App, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { nodeRuntime, runProcess } from '@heddle/kernel/node';
import {
  type ClientOptions,
  createTransport,
  HealthBoard,
  httpClient,
  httpServer,
  registration,
  type RpcRouter,
  rpcService,
  serveReflection,
} from '@heddle/rpc';
import { observed } from '@heddle/telemetry';
import { FaultSwitch, fault } from '@heddle/traffic';
import { DecisionLog, explainService, type LayerLine } from '@heddle/upstream';
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import { adminService } from './admin.ts';
import { readConfig, type ShopConfig } from './config.ts';
import { type HttpApi, json } from './http-api.ts';
import { shopConsumes, shopHttpContract } from './http-contracts.ts';
import type { ServiceName } from './service-name.ts';
import { settableTimeout, settingsOf } from './settings.ts';
import { ServiceMetrics } from './service-metrics.ts';

export type { ServiceName };

/** What a service is composed in. */
export interface Surroundings {
  readonly runtime: Runtime;
  readonly config: ShopConfig;
  /** Its own database; no other service's. */
  readonly pool: SqlPool;
  /** A client of another service over gRPC: found in the registry, balanced, retried where the contract allows. */
  readonly rpc: <Desc extends DescService>(name: ServiceName, contract: Desc) => Client<Desc>;
  /** The same over HTTP. */
  readonly http: (name: ServiceName) => HttpService;
  readonly metrics: ServiceMetrics;
}

/** What a service serves. */
export interface Composition {
  readonly http: HttpApi;
  readonly rpc?: (router: RpcRouter) => void;
  /** What else runs as long as it does. */
  readonly parts?: readonly Part[];
}

/** What tells one service from the others. */
export interface ServiceDescription {
  readonly name: ServiceName;
  readonly migrations: readonly Migration[];
  /** Fills empty tables at first start. */
  readonly fill?: (pool: SqlPool, seed: number) => Promise<boolean>;
  readonly compose: (surroundings: Surroundings) => Composition;
}

/** Longest that a service waits for another one, all attempts together. */
const partnerTimeoutMs = 3000;

/** A service's process: configuration from the environment, then `shopService`, until a signal. */
export async function runShopService(description: ServiceDescription): Promise<void> {
  const runtime = nodeRuntime({
    name: description.name,
    dataFolder: process.env['SHOP_DATA'] ?? '.heddle/shop',
  });
  let config: ShopConfig;
  try {
    config = readConfig(process.env);
  } catch (error) {
    runtime.log('error', 'the configuration is wrong', { problems: HeddleError.from(error).message });
    process.exitCode = 1;
    return;
  }
  await runProcess(shopService(description, config, runtime), runtime.log);
}

/**
 * One instance of a service as an app: database, schema, clients, server (gRPC and HTTP on one port), admin endpoint;
 * then the registration. On the way down the registration goes first, so that a restart costs no call.
 */
export function shopService(description: ServiceDescription, config: ShopConfig, bare: Runtime): App {
  const { name } = description;
  const { host, port, version, zone } = config;
  const instanceId = `${name}-${bare.random.uuid().slice(0, 8)}`;
  const resource = { 'service.name': name, 'service.instance.id': instanceId, 'service.version': version };
  const { runtime, part } = observed(bare, config.telemetry, resource, config.registryToken);
  const metrics = new ServiceMetrics(name);
  const pool = poolOf(config, runtime, instanceId, metrics);
  metrics.watchPool(pool);
  const settings = settingsOf(name, instanceId, process.env, runtime);
  const registry = openRegistry(config, runtime);
  const decisions = new DecisionLog({ process: instanceId });
  const clients = new Clients({ runtime, registry, metrics, decisions, zone });
  const composition = description.compose({
    runtime,
    config,
    pool,
    metrics,
    rpc: (partner, contract) => clients.rpc(partner, contract),
    http: (partner) => clients.http(partner),
  });
  const faults = new FaultSwitch();
  const health = new HealthBoard();
  const { service, endpointOf } = portService(composition, health, contractOf(name, version));
  const server = httpServer(service, {
    runtime,
    address: { host, port },
    observe: metrics.observe(endpointOf),
    decisions,
    // Customers wait; only a process that is hopelessly late turns calls away.
    shed: { calmMs: 250, fullMs: 2500 },
    layers: [settableTimeout(settings), fault(faults)],
  });
  const explain = explainService(decisions, () => ({ server: server.layers, ...clients.layers }));
  const origins = (): ReadonlyMap<string, object> => settings.client.origins;
  const admin = httpServer(adminService({ token: config.adminToken, faults, kill, explain, origins }), {
    runtime,
  });
  const instance = () => ({
    id: instanceId,
    service: name,
    address: host,
    port: server.address.port,
    protocol: 'http' as const,
    version,
    zone,
    metadata: metadataOf(composition, admin.address.port),
  });
  // The same for all, whatever protocols they speak beside it.
  const check = { kind: 'http', path: '/health' } as const;
  return new App({
    name,
    runtime,
    parts: [
      part,
      settings,
      pool,
      schemaPart(description, pool, config, runtime),
      // Stopped, not drained: what the server still has in flight needs them to the end.
      stoppedPart('registry', () => registry.close()),
      stoppedPart('clients', () => clients.close()),
      ...(composition.parts ?? []),
      healthPart(health),
      admin,
      server,
    ],
    registrations: [
      registration({
        runtime,
        registry,
        instance,
        health,
        check,
        onRegistered: metrics.registered,
      }),
    ],
  });
}

function metadataOf({ rpc }: Composition, adminPort: number): Readonly<Record<string, string>> {
  return {
    protocols: rpc === undefined ? 'http' : 'http,grpc',
    admin: `127.0.0.1:${adminPort}`,
    metrics: '/metrics',
    [contractKey]: contractPath,
    pid: String(process.pid),
  };
}

function stoppedPart(name: string, stop: () => Promise<void>): Part {
  return { name, start: () => Promise.resolve(), stop };
}

function contractOf(name: ServiceName, version: string): Contract {
  const consumes = shopConsumes(name);
  const openapi = httpContract(shopHttpContract(name, version));
  return consumes === undefined ? { openapi } : { openapi, consumes };
}

function kill(): void {
  process.kill(process.pid, 'SIGKILL');
}

function poolOf(
  { databaseUrl }: ShopConfig,
  runtime: Runtime,
  name: string,
  metrics: ServiceMetrics,
): SqlPool {
  return sqlPool(databaseUrl, { runtime, name, maxConnections: 8, onStatement: metrics.statement });
}

/** A drain waits for what is in flight, and a watch of the health never ends by itself. */
function healthPart(health: HealthBoard): Part {
  const nothing = (): Promise<void> => Promise.resolve();
  return { name: 'health', start: nothing, drain: async () => health.close(), stop: nothing };
}

function openRegistry({ registry: addresses, registryToken: token }: ShopConfig, runtime: Runtime): Registry {
  return remoteRegistry({ runtime, addresses, ...(token !== undefined && { token }) });
}

function schemaPart(
  { name, migrations, fill }: ServiceDescription,
  pool: SqlPool,
  config: ShopConfig,
  runtime: Runtime,
): Part {
  return {
    name: 'schema',
    start: async () => {
      const { applied } = await migrate(pool, name, migrations);
      const filled = (await fill?.(pool, config.seed)) === true;
      if (applied.length > 0 || filled) runtime.log('info', 'the database is set up', { applied, filled });
    },
    stop: () => Promise.resolve(),
  };
}

interface ClientsOptions {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly metrics: ServiceMetrics;
  readonly decisions: DecisionLog;
  readonly zone: string;
}

type PartnerOptions = Pick<ClientOptions<never, never>, 'balancing'> &
  Pick<ClientsOptions, 'runtime' | 'registry' | 'decisions'> & { target: string; policy: string };

/** The clients of one service, one per partner. */
class Clients {
  readonly #options: ClientsOptions;
  readonly #open: { close(): void }[] = [];
  readonly #layers: Record<string, readonly LayerLine[]> = {};

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  /** The layers of each client, for people. */
  get layers(): Readonly<Record<string, readonly LayerLine[]>> {
    return this.#layers;
  }

  rpc<Desc extends DescService>(name: ServiceName, contract: Desc): Client<Desc> {
    const transport = createTransport({
      ...this.#target(name),
      timeoutMs: partnerTimeoutMs,
      observe: this.#options.metrics.rpcClient,
      hedge: { delayMs: 500 },
      coalesce: true,
    });
    this.#open.push(transport);
    this.#layers[`client of ${name}`] = transport.layers;
    return createClient(contract, transport);
  }

  http(name: ServiceName): HttpService {
    const client = httpClient(this.#target(name));
    this.#open.push(client);
    this.#layers[`client of ${name} over HTTP`] = client.layers;
    return client.service;
  }

  close(): Promise<void> {
    for (const client of this.#open) client.close();
    return Promise.resolve();
  }

  #target(name: ServiceName): PartnerOptions {
    const { runtime, registry, decisions, zone } = this.#options;
    return {
      runtime,
      registry,
      decisions,
      target: `discovery:///${name}`,
      // The fewest calls in flight: whoever is slow, or blocked, gets fewer at once.
      policy: 'least_request',
      balancing: { zone },
    };
  }
}

/** What is served on the one port, and how to name a request in metrics. */
function portService(
  { http, rpc }: Composition,
  health: HealthBoard,
  contract: Contract,
): { service: HttpService; readonly endpointOf: (request: HttpRequest) => string | undefined } {
  let served: readonly string[] = [];
  const grpc = rpcService((router) => {
    rpc?.(router);
    health.serveOn(router);
    // Whoever collects contracts learns from it what is served here.
    serveReflection(router);
    served = router.services;
  });
  const told = contractAnswer(contract);
  const isGrpc = ({ fields }: HttpRequest): boolean =>
    fields.get('content-type')?.startsWith('application/grpc') === true;
  const healthAnswer = (): HttpResponse => {
    const serving = health.serving('') === true;
    return json(serving ? 200 : 503, { serving });
  };
  return {
    service: async (request, call) => {
      if (isGrpc(request)) return grpc(request, call);
      if (request.path === '/health') return healthAnswer();
      return told(request) ?? http.service(request, call);
    },
    endpointOf: (request) => {
      if (!isGrpc(request)) {
        if (request.path === '/health' || request.path === contractPath) return request.path;
        return http.endpointOf(request);
      }
      return served.includes(request.path.split('/')[1] ?? '') ? request.path : undefined;
    },
  };
}
