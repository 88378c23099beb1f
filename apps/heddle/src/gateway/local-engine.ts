import { hostPort, type Registry } from '@heddle/discovery';
import type { Part, Runtime } from '@heddle/kernel';
import { TlsStore } from '@heddle/kernel/node';
import { Gateway, type GatewayConfig, type PlaceLease, type SharedVerdicts } from '@heddle/proxy';
import { MetricRegistry, metricsService, processMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { RateStore } from '@heddle/traffic';
import { DecisionLog, explainService } from '@heddle/upstream';
import { type HttpServer, type HttpService, type ServerLimits, serve, type ServeTls } from '@heddle/wire';
import { LineWriter } from '../node/line-writer.ts';
import { MeshPolicies } from './mesh-policies.ts';
import { openRedisStore } from './redis-store.ts';
import type { Engines, EngineStatus, UpstreamStatus } from './engines.ts';
import { SecuredPorts } from './secured-ports.ts';
import type { Materials, Serving } from './serving.ts';

/** What an engine is made from. */
export interface LocalEngineOptions extends Serving {
  readonly runtime: Runtime;
  /** Closed with the engine. */
  readonly registry: Registry | undefined;
  /** Counts limits that are not shared by a store. Default: this process. */
  readonly rateStore?: RateStore;
  /** What those who serve together share besides. Default: there is nobody else. */
  readonly verdicts?: (target: string) => SharedVerdicts;
  readonly places?: PlaceLease;
  /** Gives the files that the configuration names. */
  readonly files: (name: string) => Uint8Array | undefined;
}

/** The engine of this process and its socket. As a part it stops after what is in front of it has drained. */
export class LocalEngine implements Engines {
  readonly metrics: HttpService;
  readonly explain: HttpService;
  readonly gateway: Gateway;
  readonly #options: LocalEngineOptions;
  readonly #tls: TlsStore | undefined;
  readonly #ports: SecuredPorts;
  readonly #accessLog: LineWriter;
  #server: HttpServer | undefined;

  /** Throws as the constructor of `Gateway` does. */
  constructor(options: LocalEngineOptions) {
    const { runtime, config, registry, files, tls, rateStore, verdicts, places } = options;
    this.#options = options;
    this.#accessLog = new LineWriter(1, runtime);
    this.#tls = tls.listen === undefined ? undefined : new TlsStore(tls.listen);
    const metrics = new MetricRegistry();
    processMetrics(metrics, processReader());
    this.metrics = metricsService(metrics);
    const decisions = new DecisionLog({ process: 'gateway' });
    const policies = new MeshPolicies(runtime);
    this.gateway = new Gateway({
      config,
      runtime,
      metrics,
      decisions,
      files,
      // Standard output is nobody else's: the log of the process goes to standard error.
      writeAccess: this.#accessLog.write,
      secrets: (name) => process.env[name],
      openRateStore: openRedisStore,
      guard: (written, served) => policies.layer(written, served),
      ...(registry !== undefined && { registry }),
      ...(rateStore !== undefined && { rateStore }),
      ...(verdicts !== undefined && { verdicts }),
      ...(places !== undefined && { places }),
    });
    this.#ports = new SecuredPorts(this.gateway, runtime, tls.servers);
    this.explain = explainService(decisions, () => this.gateway.stacks);
    this.registered = metrics;
  }

  /** For a gauge of the registration. */
  readonly registered: MetricRegistry;

  /** Where it listens. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#server?.address ?? this.#options.config.listen;
  }

  async apply({ config, tls }: Serving): Promise<void> {
    const ready = this.gateway.prepare(config);
    // Before it is served: a server must have its certificate when it is there.
    await this.renew(tls);
    ready.commit();
  }

  async renew({ listen, servers }: Materials): Promise<void> {
    if (listen !== undefined) this.#tls?.update(listen);
    this.#ports.renew(servers);
  }

  async status(): Promise<readonly EngineStatus[]> {
    return [this.statusNow()];
  }

  /** As `status`, at once. */
  statusNow(): EngineStatus {
    return {
      pid: process.pid,
      ...this.gateway.readiness(),
      inFlight: this.gateway.inFlight,
      connections: (this.#server?.connections ?? 0) + this.#ports.connections,
      upstreams: upstreamsOf(this.gateway),
    };
  }

  /** The socket, and below it the upstreams: they must be there until the last request has been answered. */
  get parts(): readonly Part[] {
    const { runtime, config, registry } = this.#options;
    const upstreams: Part = {
      name: 'upstreams',
      start: () => Promise.resolve(),
      stop: async () => {
        await this.gateway.drain();
        this.#accessLog.close();
        await registry?.close();
      },
    };
    const listener: Part = {
      name: 'listener',
      start: async () => {
        const tls = tlsOf(config, this.#tls);
        const options = { runtime, address: config.listen, limits: limitsOf(config) };
        this.#server = await serve(this.gateway.service, tls === undefined ? options : { ...options, tls });
        await this.#ports.start(config.listen.host, options.limits);
      },
      drain: async () => {
        await Promise.all([this.#server?.drain(), this.#ports.drain()]);
      },
      stop: async () => {
        await Promise.all([this.#server?.stop(), this.#ports.stop()]);
      },
    };
    return [upstreams, listener];
  }
}

function upstreamsOf(gateway: Gateway): UpstreamStatus[] {
  return [...gateway.targets].map(([target, { group }]) => ({
    target,
    resolved: group.resolved,
    failing: group.view.snapshot?.excluded.health ?? 0,
    instances: group.view.members.map(({ id, instance, upstream: { endpoint }, blocked }) => ({
      id,
      address: hostPort(instance),
      state: endpoint.state,
      inFlight: endpoint.inFlight,
      ...(blocked !== undefined && { blocked: blocked.reason }),
    })),
  }));
}

function tlsOf({ tls }: GatewayConfig, source: TlsStore | undefined): ServeTls | undefined {
  if (tls === undefined || source === undefined) return undefined;
  // Here the names in certificates are those that are served, and rules go by them.
  return { source, clients: tls.clients ?? 'off', misdirected: 'refuse' };
}

/** What one connection may cost, in the words of either protocol. */
function limitsOf({ limits }: GatewayConfig): ServerLimits {
  return {
    connections: limits.maxConnections,
    http1: {
      headBytes: limits.maxHeaderBytes,
      startLineBytes: Math.min(limits.maxHeaderBytes, 8192),
      fieldCount: limits.maxHeaders,
      headMs: limits.headerTimeoutMs,
      idleMs: limits.idleTimeoutMs,
      bodyIdleMs: limits.bodyTimeoutMs,
      writeIdleMs: limits.bodyTimeoutMs,
      bodyBytesPerSecond: limits.minBodyBytesPerSecond,
    },
    http2: {
      maxConcurrentStreams: limits.maxStreams,
      maxHeaderListBytes: limits.maxHeaderBytes,
      maxHeaderFields: limits.maxHeaders,
      headerTimeoutMs: limits.headerTimeoutMs,
      idleTimeoutMs: limits.idleTimeoutMs,
      bodyTimeoutMs: limits.bodyTimeoutMs,
      sendTimeoutMs: limits.bodyTimeoutMs,
    },
  };
}
