import type { Instance } from '@heddle/discovery';
import {
  type Call,
  type Classify,
  type Connection,
  HeddleError,
  type Meaning,
  type Runtime,
  type Timer,
} from '@heddle/kernel';
import { classifyAnswer } from '@heddle/proxy/layers';
import { concurrency } from '@heddle/traffic';
import { balance, httpUpstream, InstanceGroup, type Upstream, type WayOptions } from '@heddle/upstream';
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import type { Assignment, Cluster, Locality, MeshEndpoint } from '../model/index.ts';
import { AssignedResolver } from './assigned-resolver.ts';
import { type ClusterInstance, instancesOf, isWell } from './cluster-instances.ts';
import { clusterPolicy, ejectionOf } from './cluster-policy.ts';
import { type TlsFor, tlsFor, type TlsSurroundings } from './endpoint-tls.ts';
import { HashRule } from './hash-rule.ts';

/** What clusters are run with. */
export interface ClusterSurroundings extends TlsSurroundings {
  readonly runtime: Runtime;
  /** Where this client runs. */
  readonly locality: () => Locality;
  /** The addresses of a name of the outside world, asked where our own answers are not given. */
  readonly lookUp: (name: string) => Promise<readonly string[]>;
}

type Ends = Upstream<HttpRequest, HttpResponse>;

/** How often the names of an outside cluster are resolved. */
const lookUpMs = 30_000;

/** The instances of a cluster with all that is known of them, and the way to them. */
export class RunningCluster {
  readonly cluster: Cluster;
  /** To one of the instances; above it nothing is repeated. */
  readonly service: HttpService;
  readonly hash: HashRule | undefined;
  readonly #surroundings: ClusterSurroundings;
  readonly #resolver: AssignedResolver;
  readonly #group: InstanceGroup<HttpRequest, HttpResponse>;
  readonly #tls: TlsFor;
  #known: ReadonlyMap<string, ClusterInstance> = new Map();
  #assignment: Assignment | undefined;
  #timer: Timer | undefined;

  /** Throws for TLS that cannot be. */
  constructor(cluster: Cluster, surroundings: ClusterSurroundings) {
    const { runtime } = surroundings;
    this.cluster = cluster;
    this.#surroundings = surroundings;
    this.#tls = tlsFor(cluster, surroundings);
    this.#resolver = new AssignedResolver(cluster.name, runtime.clock);
    this.#group = new InstanceGroup({
      runtime,
      resolver: this.#resolver,
      policy: clusterPolicy(cluster, runtime),
      connect: (instance) => this.#connect(instance),
      guards: { classify: classifyOf(cluster), outliers: ejectionOf(cluster.outlier) },
    });
    const { hash } = cluster.balance;
    const isHashing = cluster.balance.policy === 'ring_hash' || cluster.balance.policy === 'maglev';
    this.hash = isHashing && hash !== undefined ? new HashRule(hash) : undefined;
    const { maxRequests } = cluster.pool;
    const send = balance(this.#group);
    this.service =
      maxRequests === undefined
        ? send
        : concurrency<HttpRequest, HttpResponse>({ max: maxRequests, what: cluster.name })(send);
  }

  /** These are its instances from now on. One that stays keeps its connections, and what is known of it. */
  assign(assignment: Assignment | undefined): void {
    this.#assignment = assignment;
    const { source } = this.cluster;
    if (source === 'dns' || source === 'logical_dns') void this.#lookUp();
    else this.#become(assignment);
  }

  /** A connection to one of them, for bytes that nobody looks into. Rejects as `Net.connect`, and if there is none. */
  connection(call: Call): Promise<Connection> {
    return this.#group.pickLater(call, (member) => {
      const { net } = this.#surroundings.runtime;
      const { address, port } = member.instance;
      const known = this.#known.get(member.id);
      const tls = known === undefined ? undefined : this.#tls(known.endpoint);
      const { connectTimeoutMs } = this.cluster.pool;
      member.load.begin(call);
      return net.connect(
        { host: address, port },
        {
          ...(connectTimeoutMs !== undefined && { timeoutMs: connectTimeoutMs }),
          ...(tls !== undefined && { tls }),
        },
      );
    });
  }

  /** Takes no more calls; resolves when those that it has are done. */
  async drain(): Promise<void> {
    this.#timer?.cancel();
    await this.#group.drain();
  }

  /** Drops all connections. */
  close(): void {
    this.#timer?.cancel();
    this.#group.close();
  }

  #become(assignment: Assignment | undefined): void {
    this.#known = instancesOf(this.cluster, assignment, this.#surroundings.locality());
    this.#resolver.assign(Array.from(this.#known.values(), ({ instance }) => instance));
  }

  async #lookUp(): Promise<void> {
    const { runtime, lookUp } = this.#surroundings;
    const assignment = this.#assignment;
    this.#timer?.cancel();
    this.#timer = runtime.timers.after(lookUpMs, () => void this.#lookUp());
    if (assignment === undefined) return;
    try {
      const endpoints = await Promise.all(assignment.endpoints.map((each) => this.#resolved(each, lookUp)));
      if (assignment === this.#assignment) this.#become({ ...assignment, endpoints: endpoints.flat() });
    } catch (thrown) {
      // What was found before is better than nothing.
      const { message } = HeddleError.from(thrown);
      runtime.log('warn', 'a name of a cluster cannot be resolved', { cluster: this.cluster.name, message });
    }
  }

  async #resolved(
    endpoint: MeshEndpoint,
    lookUp: ClusterSurroundings['lookUp'],
  ): Promise<readonly MeshEndpoint[]> {
    if (/^[\d.]+$|:/.test(endpoint.address)) return [endpoint];
    const addresses = await lookUp(endpoint.address);
    const used = this.cluster.source === 'logical_dns' ? addresses.slice(0, 1) : addresses;
    return used.map((address) => ({ ...endpoint, address }));
  }

  #connect(instance: Instance): Ends {
    const { runtime } = this.#surroundings;
    const known = this.#known.get(instance.id);
    let tls: WayOptions['tls'];
    try {
      tls = known === undefined ? undefined : this.#tls(known.endpoint);
    } catch (thrown) {
      return unreachable(HeddleError.from(thrown));
    }
    const { pool, protocol } = this.cluster;
    const spoken = protocol === 'http2' ? 'h2c' : 'http1';
    const way = httpUpstream(instance, runtime, spoken, {
      ...(tls !== undefined && { tls }),
      pool: {
        ...(pool.maxConnections !== undefined && { connections: pool.maxConnections }),
        ...(pool.maxPendingRequests !== undefined && { waiting: pool.maxPendingRequests }),
        ...(pool.connectTimeoutMs !== undefined && { connectMs: pool.connectTimeoutMs }),
        ...(pool.idleTimeoutMs !== undefined && { idleMs: pool.idleTimeoutMs }),
        ...(pool.maxConnectionMs !== undefined && { ageMs: pool.maxConnectionMs }),
        ...(pool.maxRequestsPerConnection !== undefined && {
          requestsPerConnection: pool.maxRequestsPerConnection,
        }),
      },
    });
    return this.#heedingHealth(instance.id, way);
  }

  /** One that the registry calls ill counts as out of reach: it takes part in what its place can carry, and gets no calls. */
  #heedingHealth(id: string, { endpoint, service }: Ends): Ends {
    const isIll = (): boolean => {
      const known = this.#known.get(id);
      return known !== undefined && !isWell(known.endpoint);
    };
    return {
      service,
      endpoint: {
        request: endpoint.request,
        get state() {
          return isIll() ? 'failing' : endpoint.state;
        },
        get inFlight() {
          return endpoint.inFlight;
        },
        onState: (listener) => endpoint.onState(listener),
        connect: () => endpoint.connect(),
        drain: () => endpoint.drain(),
        close: () => endpoint.close(),
      },
    };
  }
}

/** What counts against an instance: every 5xx, or those of gateways alone where only they are to be counted. */
function classifyOf({ outlier }: Cluster): Classify<HttpRequest, HttpResponse> {
  const isGatewayOnly =
    outlier?.consecutive5xx === undefined && outlier?.consecutiveGatewayErrors !== undefined;
  if (!isGatewayOnly) return classifyAnswer;
  return (req, result): Meaning => {
    const meaning = classifyAnswer(req, result);
    return meaning === 'failure' ? 'success' : meaning;
  };
}

/** An instance that cannot be spoken to as the rules demand. It is never spoken to otherwise. */
function unreachable(error: HeddleError): Ends {
  const refuse: HttpService = () => Promise.reject(error);
  return {
    service: refuse,
    endpoint: {
      request: refuse,
      state: 'failing',
      inFlight: 0,
      onState: () => () => undefined,
      connect: () => Promise.resolve(),
      drain: () => Promise.resolve(),
      close: () => undefined,
    },
  };
}
