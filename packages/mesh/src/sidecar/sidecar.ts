import { Call, type Connection, HeddleError, type Part, type Runtime, type TlsSource } from '@heddle/kernel';
import { type AccessLog, accessLogged, errorsToCallers, type ReadFile } from '@heddle/proxy/layers';
import { fixedKeys, type KeySource, readKeySet } from '@heddle/security';
import { httpClientMetrics, httpServerMetrics, type MetricRegistry } from '@heddle/telemetry';
import { type NamedLayer, stackOf } from '@heddle/upstream';
import type { HttpRequest, HttpResponse, ServeTls } from '@heddle/wire';
import { type AskProvider, authorization, type Verdict } from '../authorization/index.ts';
import type {
  InboundPort,
  JwtRule,
  Locality,
  MeshModel,
  MtlsMode,
  ServiceListener,
  Workload,
} from '../model/index.ts';
import { servicePart, workloadPart } from '../plane/model-parts.ts';
import type { PartRefusal } from '../plane/plane-messages.ts';
import { Clusters } from './clusters.ts';
import { type InboundSurroundings, inboundPort, type ReadyPort } from './inbound-stack.ts';
import { ListenerSet, type WantedListener } from './listener-set.ts';
import { ownCall } from './own-call.ts';
import { byName, OutboundServices, type ReadyService } from './outbound.ts';
import { unbounded } from './retry-rule.ts';
import { namesOf, ServiceAddresses } from './service-addresses.ts';
import { standardMetrics } from './standard-metrics.ts';

/** What a sidecar is made from. */
export interface SidecarOptions {
  readonly runtime: Runtime;
  /** `namespace/name`. */
  readonly workload: string;
  /** What it shows to others, and whom it believes; undefined: it speaks no mesh TLS. */
  readonly identity: TlsSource | undefined;
  /** Where it runs, if the rules do not say. */
  readonly locality?: Locality;
  /** Where it listens for callers of its ports whose rules say any address. Default: there. */
  readonly inboundAddress?: string;
  /** Whether services get loopback addresses of their own; else all are at 127.0.0.1, told apart by name. */
  readonly ownAddresses: boolean;
  readonly files: ReadFile;
  readonly lookUp: (name: string) => Promise<readonly string[]>;
  /** The keys of an issuer of tokens whose rule names where they are. */
  readonly remoteKeys: (url: string) => KeySource;
  readonly ask?: AskProvider;
  readonly metrics: MetricRegistry;
  readonly accessLog?: { readonly format: AccessLog; readonly write: (line: string) => void };
  /** Hears of the names of services and their addresses, whenever they change. */
  readonly onNames?: (names: ReadonlyMap<string, string>) => void;
  /** Requests at a time, for each port of the workload. Default 10000. */
  readonly maxRequests?: number;
}

const anyAddress: ReadonlySet<string> = new Set(['0.0.0.0', '::', '']);
const nowhere: Locality = { region: '', zone: '', subZone: '' };

interface InboundReady {
  readonly workload: Workload;
  readonly at: InboundPort;
  readonly ready: ReadyPort | undefined;
}

/**
 * The proxy beside a workload: it listens for the services that the workload calls, and before the ports that it serves,
 * and does there as the rules of the mesh say.
 */
export class Sidecar implements Part {
  readonly name = 'sidecar';
  readonly #options: SidecarOptions;
  readonly #clusters: Clusters;
  readonly #outbound: OutboundServices;
  readonly #listeners: ListenerSet;
  readonly #addresses = new ServiceAddresses();
  readonly #standard: ReturnType<typeof standardMetrics>;
  readonly #observedInbound: readonly NamedLayer<HttpRequest, HttpResponse>[];
  readonly #observedOutbound: readonly NamedLayer<HttpRequest, HttpResponse>[];
  readonly #modes = new Map<MtlsMode, ServeTls>();
  readonly #keys = new Map<string, KeySource>();
  readonly #wantedOutbound = new Map<string, WantedListener & { readonly from: readonly ReadyService[] }>();
  #inbound: readonly InboundReady[] = [];
  #locality: Locality = nowhere;
  #own: Workload | undefined;
  #called: ReadonlyMap<string, ServiceListener> = new Map();

  constructor(options: SidecarOptions) {
    const { runtime, identity, files, lookUp, metrics } = options;
    this.#options = options;
    const locality = (): Locality => this.#locality;
    this.#clusters = new Clusters({ runtime, identity, files, lookUp, locality });
    const place = (cluster: string): ReturnType<Clusters['place']> => this.#clusters.place(cluster);
    this.#outbound = new OutboundServices({ place, budget: unbounded(runtime.clock) });
    this.#listeners = new ListenerSet(runtime);
    this.#standard = standardMetrics(metrics);
    this.#observedInbound = this.#observed('server');
    this.#observedOutbound = this.#observed('client');
  }

  /** Nothing is listened for before there are rules. */
  async start(): Promise<void> {}

  /** Does as the model says from now on, but for what is refused. For `ModelFollower`. */
  async apply(model: MeshModel): Promise<readonly PartRefusal[]> {
    const workload = model.workloads.get(this.#options.workload);
    this.#own = workload;
    this.#called = byNames(model.services);
    this.#locality = localityOf(workload, this.#options.locality);
    // Clusters first: rules lead there.
    const refused = [...this.#clusters.apply(model), ...this.#outbound.apply(model.services)];
    const inbound = this.#inboundOf(workload, refused);
    const wanted = [...this.#outboundListeners(), ...inbound.map((each) => this.#inboundListener(each))];
    refused.push(...(await this.#listeners.apply(wanted)));
    this.#options.onNames?.(
      namesOf(
        this.#outbound.all.map(({ listener }) => this.#placed(listener)),
        this.#addresses,
      ),
    );
    return refused;
  }

  /** Accepts no more; resolves when nothing is in flight. */
  async drain(): Promise<void> {
    await this.#listeners.drain();
    await this.#clusters.drain();
    await Promise.all(this.#inbound.flatMap(({ ready }) => ready?.application.drain() ?? []));
  }

  async stop(): Promise<void> {
    await this.#listeners.stop();
    this.#clusters.close();
    for (const { ready } of this.#inbound) ready?.application.close();
  }

  #observed(side: 'server' | 'client'): readonly NamedLayer<HttpRequest, HttpResponse>[] {
    const { metrics, workload, accessLog } = this.#options;
    const measure = side === 'server' ? httpServerMetrics : httpClientMetrics;
    return [
      {
        name: 'metrics',
        why: 'Sees every answer, those that the layers below make out of errors included.',
        layer: measure(metrics, { service: workload }),
      },
      {
        name: 'standard metrics',
        why: 'The same once more by the names that readers of a mesh know.',
        layer: this.#standard({
          reporter: side === 'server' ? 'destination' : 'source',
          workload: () => this.#own,
          service: (name) => this.#called.get(name),
        }),
      },
      {
        name: 'access log',
        why: 'Beside the metrics, which it agrees with.',
        layer: accessLog && accessLogged(accessLog.format, accessLog.write),
      },
    ];
  }

  #placed<T extends { readonly address?: string }>(listener: T): T {
    return this.#options.ownAddresses || listener.address !== undefined
      ? listener
      : { ...listener, address: '127.0.0.1' };
  }

  /** One for each place. What has not changed is the same object. */
  #outboundListeners(): readonly WantedListener[] {
    const { ownAddresses } = this.#options;
    const addressOf = ({ listener }: ReadyService): string =>
      ownAddresses ? this.#addresses.of(listener) : (listener.address ?? '127.0.0.1');
    const places = Map.groupBy(this.#outbound.all, (each) => `${addressOf(each)} ${each.listener.port}`);
    for (const place of this.#wantedOutbound.keys())
      if (!places.has(place)) this.#wantedOutbound.delete(place);
    for (const [place, services] of places) {
      const known = this.#wantedOutbound.get(place);
      const isSame =
        known?.from.length === services.length && known.from.every((each, at) => each === services[at]);
      const [first] = services;
      if (isSame || first === undefined) continue;
      const address = { host: addressOf(first), port: first.listener.port };
      const does = this.#outboundWork(services);
      const part = servicePart(first.listener);
      this.#wantedOutbound.set(place, { part, address, tls: undefined, does, from: services });
    }
    return [...this.#wantedOutbound.values()];
  }

  #outboundWork(services: readonly ReadyService[]): WantedListener['does'] {
    // Bytes name nobody: whoever is called there is called alone.
    const bytes = services.find(({ listener }) => listener.protocol === 'tcp');
    if (bytes !== undefined) return { tcp: () => this.#connect(bytes) };
    const layers = [
      ...this.#observedOutbound,
      {
        name: 'answers to errors',
        why: 'Above all that can fail: the application hears of it in its own words.',
        layer: errorsToCallers,
      },
      {
        name: 'own call',
        why: 'Below what counts: that goes by the last byte to the application, all below by the last from the service.',
        layer: ownCall,
      },
    ];
    const isShared = !this.#options.ownAddresses && services[0]?.listener.address === undefined;
    return { http: stackOf(layers)(byName(services, isShared)) };
  }

  async #connect({ listener }: ReadyService): Promise<Connection> {
    const { runtime } = this.#options;
    // Nothing is known of a connection but where it goes: conditions on more are among `ownLimits`.
    const action = listener.rules.find(({ matches }) => matches.length === 0)?.action;
    const shares = action?.kind === 'forward' ? action.shares : [];
    let left = runtime.random.float() * shares.reduce((sum, { weight }) => sum + weight, 0);
    const share = shares.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    if (share === undefined) throw noWay(listener.host);
    const call = Call.root(runtime);
    try {
      return await this.#clusters.place(share.cluster).connection(call);
    } finally {
      call.end();
    }
  }

  /** The workload's ports. One that has not changed is the same object; one that is refused goes on as it was. */
  #inboundOf(workload: Workload | undefined, refused: PartRefusal[]): readonly InboundReady[] {
    const before = this.#inbound;
    const next: InboundReady[] = [];
    for (const at of workload?.inbound ?? []) {
      if (workload === undefined) break;
      const known = before.find((each) => each.at.port === at.port && each.at.address === at.address);
      if (known?.workload === workload) next.push(known);
      else {
        try {
          // Keys that cannot be read are found now, not by the first caller.
          for (const rule of workload.jwt) this.#keysOf(rule);
          const ready =
            at.protocol === 'tcp' ? undefined : inboundPort(workload, at, this.#inboundSurroundings());
          next.push({ workload, at, ready });
        } catch (thrown) {
          refused.push({
            part: workloadPart(this.#options.workload),
            message: HeddleError.from(thrown).message,
          });
          if (known !== undefined) next.push(known);
        }
      }
    }
    for (const each of before) if (!next.includes(each)) void each.ready?.application.drain();
    this.#inbound = next;
    return next;
  }

  #inboundSurroundings(): InboundSurroundings {
    const { runtime, ask, maxRequests = 10_000 } = this.#options;
    return {
      runtime,
      observed: this.#observedInbound,
      keysOf: (rule) => this.#keysOf(rule),
      ask,
      onVerdict: (verdict, { path }) => this.#tell(verdict, path),
      maxRequests,
    };
  }

  #tell({ allowed, reason, policy, audited, dryRun }: Verdict, path: string): void {
    const { log } = this.#options.runtime;
    if (audited.length > 0) log('info', 'audited by policy', { audited: audited.join(' '), path });
    if (dryRun !== undefined && dryRun.allowed !== allowed)
      log('info', 'a policy in dry run would decide otherwise', { policy: dryRun.policy, path });
    if (!allowed) log('debug', 'refused by policy', { reason, policy, path });
  }

  #keysOf(rule: JwtRule): KeySource {
    const { jwks, jwksUri = '' } = rule;
    const key = jwks ?? jwksUri;
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const made = jwks === undefined ? this.#options.remoteKeys(jwksUri) : fixedKeys(readKeySet(parsed(jwks)));
    this.#keys.set(key, made);
    return made;
  }

  #inboundListener({ workload, at, ready }: InboundReady): WantedListener {
    const { inboundAddress = at.address } = this.#options;
    const host = anyAddress.has(at.address) ? inboundAddress : at.address;
    return {
      part: workloadPart(this.#options.workload),
      address: { host: host === '' ? '0.0.0.0' : host, port: at.port },
      tls: this.#tlsFor(at.mtls),
      does:
        ready === undefined
          ? { tcp: (connection) => this.#admit(connection, workload, at) }
          : { http: ready.service },
    };
  }

  /** The same object for each mode, so that a port is not opened anew where nothing has changed. */
  #tlsFor(mode: MtlsMode): ServeTls | undefined {
    const { identity } = this.#options;
    if (mode === 'disable' || identity === undefined) return undefined;
    const known = this.#modes.get(mode) ?? {
      source: identity,
      clients: 'require',
      plaintext: mode === 'permissive',
    };
    this.#modes.set(mode, known);
    return known;
  }

  /** A connection whose bytes nobody looks into: who comes is all that is judged. */
  async #admit(connection: Connection, { policies }: Workload, at: InboundPort): Promise<Connection> {
    const { net } = this.#options.runtime;
    const certificate = connection.tls?.certificate;
    const [uri = ''] = certificate?.verified === true ? certificate.uris : [];
    const verdict = authorization(policies, false).decide({
      principal: uri.replace('spiffe://', ''),
      sourceIp: connection.remote.host,
      remoteIp: connection.remote.host,
      destinationIp: at.address,
      destinationPort: at.port,
      sni: connection.tls?.serverName ?? '',
    });
    this.#tell(verdict, '');
    if (!verdict.allowed || (at.mtls === 'strict' && uri === '')) throw denied();
    return net.connect({ host: at.target.address, port: at.target.port });
  }
}

/** Services by each name that they are called by. */
function byNames(services: readonly ServiceListener[]): ReadonlyMap<string, ServiceListener> {
  return new Map(
    services.flatMap((each) => [each.host, ...each.aliases].map((name) => [name, each] as const)),
  );
}

function parsed(jwks: string): unknown {
  try {
    return JSON.parse(jwks);
  } catch {
    // As any other that is no key set.
    return undefined;
  }
}

function localityOf(workload: Workload | undefined, fallback: Locality = nowhere): Locality {
  return workload === undefined || workload.locality.region === '' ? fallback : workload.locality;
}

function noWay(host: string): HeddleError {
  const message = `no rule leads on from ${host}`;
  return new HeddleError({ code: 'unavailable', reason: 'NO_ROUTE', message, sent: false });
}

function denied(): HeddleError {
  const message = 'RBAC: access denied';
  return new HeddleError({ code: 'permission_denied', reason: 'RBAC_DENIED', message, sent: false });
}
