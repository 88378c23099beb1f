import type { Registry } from '@heddle/discovery';
import { authorityOf } from '@heddle/discovery/clients';
import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import { type Address, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { httpServer, type ServerPart } from '@heddle/rpc';
import { CertificateService } from '@heddle/security/identity';
import {
  isEnvoyAccessLogs,
  isOtlp,
  MetricRegistry,
  metricsService,
  processMetrics,
  serverMetrics,
} from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { HttpService } from '@heddle/wire';
import { consoleAssets } from '../node/console-assets.ts';
import { meshFiles } from '../node/mesh-files.ts';
import { controlPlaneOwnSettings } from '../settings/control-plane-own-settings.ts';
import type { ApiAdmission } from './api-admission.ts';
import { openContracts } from './api-opened.ts';
import { type ConfigFront, configFront, type ConfigFrontOptions, isConfigRequest } from './config-front.ts';
import { type ConsoleSurroundings, type OpenConsole, openConsole } from './console.ts';
import { meshAuthorityIn } from './mesh/mesh-authority.ts';
import { type MeshPlane, meshPlane, type MeshPlaneOptions } from './mesh/mesh-plane.ts';
import { meshSource } from './mesh/mesh-source.ts';
import { Observer } from './observer.ts';
import { type OwnTls, ownTls, type TlsWish } from './own-tls.ts';
import { type ControlPlaneTelemetry, controlPlaneTelemetry, type TelemetryOptions } from './telemetry.ts';

/** What a control plane is made from. */
export interface ControlPlaneOptions
  extends Pick<ConsoleSurroundings, 'env' | 'password'>,
    Pick<TelemetryOptions, 'alerts' | 'logStore' | 'dataFolder'>,
    Pick<ConfigFrontOptions, 'schemas'>,
    Pick<MeshPlaneOptions, 'scope'> {
  readonly runtime: Runtime;
  /** Of the registry. */
  readonly token: string;
  /** Of those who change things; undefined: nobody does but who is signed in. */
  readonly adminToken: string | undefined;
  readonly address: Address;
  /** URL of the config centre's store; undefined: there is no config centre. */
  readonly configStore: string | undefined;
  /** Where the rules of a mesh are (`meshSource`); undefined: it serves none. */
  readonly mesh: string | undefined;
  /** Whose instances are in the mesh; undefined: those of its own registry. */
  readonly meshRegistry: Registry | undefined;
  /** By what it speaks TLS, and nothing else; undefined: plaintext. */
  readonly tls: TlsWish | undefined;
  /** Registries in which others register directly: what comes there is judged by its contract too. */
  readonly guarded?: readonly Registry[];
}

/** One that is ready to be run. */
export interface ControlPlane {
  /** In the order in which they start. */
  readonly parts: readonly Part[];
  /** Where it listens, once it does. */
  readonly place: () => Address;
  /** As a browser has it. */
  readonly url: () => string;
  /** The console's first password if it was made up now: to be shown once, and never logged. */
  readonly madePassword: string | undefined;
}

/** Registry, telemetry, config centre, API catalogue, console and mesh, on one port. */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { runtime, token, adminToken, env } = options;
  const registry = await embeddedRegistry(runtime);
  const metrics = new MetricRegistry();
  // Alerts that were due before a restart may be told before the port is known.
  let at = options.address;
  const place = (): Address => at;
  const url = (): string => `${options.tls === undefined ? 'http' : 'https'}://${authorityOf(place())}`;
  const { dataFolder, alerts, logStore } = options;
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
    url: options.configStore,
    secret: env['HEDDLE_CONFIG_STORE_TOKEN'],
    schemas: options.schemas,
    readToken: token,
    writeToken: adminToken,
  });
  const settings = await controlPlaneOwnSettings(runtime, config.store);
  const contracts = await openContracts({
    runtime,
    registry,
    guarded: options.guarded ?? [],
    telemetry,
    settings,
    token,
    metrics,
  });
  const mesh = await openMesh(options, registry);
  const console = await openConsole({
    runtime,
    registry,
    observer,
    telemetry,
    token,
    env,
    centre: config.centre,
    contracts,
    mesh: {
      service: mesh === undefined ? undefined : (req, call) => meshAnswer(mesh, req, call),
      token: adminToken ?? token,
      files: meshFiles(options.mesh),
      place: options.mesh,
      scope: options.scope,
    },
    assets: consoleAssets(),
    password: options.password,
  });
  const { admission, outside } = contracts;
  const tls =
    options.tls && (await ownTls(options.tls, runtime, mesh?.certificates ?? (await ownAuthority(options))));
  const behind = { registry, console, telemetry, config, admission, mesh, metrics, tls: tls?.tls };
  const server = frontOf(behind, options);
  const placePart: Part = {
    name: 'place',
    start: async () => void (at = server.address),
    stop: () => Promise.resolve(),
  };
  const parts = [registryPart(registry), config.part, settings, ...telemetry.parts, admission, ...outside];
  parts.push(
    observer,
    ...console.parts,
    ...(mesh?.parts ?? []),
    ...(tls === undefined ? [] : [tls.part]),
    server,
    placePart,
  );
  return { parts, place, url, madePassword: console.madePassword };
}

async function openMesh(options: ControlPlaneOptions, own: Registry): Promise<MeshPlane | undefined> {
  const { runtime, token, adminToken, env, mesh: place, meshRegistry, scope } = options;
  if (place === undefined) return undefined;
  return meshPlane({
    runtime,
    token,
    operatorToken: adminToken,
    keys: env['HEDDLE_MESH_KEYS'],
    registry: meshRegistry ?? own,
    scope,
    source: await meshSource(place, runtime, env['HEDDLE_MESH_TOKEN']),
  });
}

/** That of a control plane without a mesh: the same that its mesh would have. */
async function ownAuthority({ runtime, scope }: ControlPlaneOptions): Promise<CertificateService> {
  const { trustDomain = 'cluster.local' } = scope;
  const authority = await meshAuthorityIn(runtime, trustDomain);
  return new CertificateService({ runtime, trustDomain, authority });
}

function meshAnswer(mesh: MeshPlane, ...[req, call]: Parameters<HttpService>): ReturnType<HttpService> {
  const service = mesh.serviceFor(req);
  if (service !== undefined) return service(req, call);
  const message = `the mesh has no ${req.path.slice(0, 100)}`;
  throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_PATH', message, sent: false });
}

interface Behind {
  readonly registry: EmbeddedRegistry;
  readonly console: OpenConsole;
  readonly telemetry: ControlPlaneTelemetry;
  readonly config: ConfigFront;
  readonly admission: ApiAdmission;
  readonly mesh: MeshPlane | undefined;
  readonly metrics: MetricRegistry;
  readonly tls: OwnTls['tls'] | undefined;
}

/** One port for the registry's protocol and OTLP (with the token), the console and queries (signed in or with the token), and its own metrics. */
function frontOf(
  { registry, console, telemetry, config, admission, mesh, metrics, tls }: Behind,
  { runtime, token, address }: ControlPlaneOptions,
): ServerPart {
  processMetrics(metrics, processReader());
  const registryApi = admission.before(registryService(registry, { token }));
  const ownMetrics = metricsService(metrics);
  const service: HttpService = (req, call) => {
    if (isOtlp(req) || isEnvoyAccessLogs(req))
      return telemetry.serviceFor(req)?.(req, call) ?? console.service(req, call);
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
    ...(tls !== undefined && { tls }),
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
