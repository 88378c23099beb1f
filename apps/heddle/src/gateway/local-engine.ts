import { hostPort, type Registry } from '@heddle/discovery';
import type { Part, Runtime } from '@heddle/kernel';
import { Gateway, type GatewayConfig } from '@heddle/proxy';
import { MetricRegistry, metricsService, processMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import { DecisionLog, explainService } from '@heddle/upstream';
import { type HttpServer, type HttpService, serve } from '@heddle/wire';
import { LineWriter } from '../node/line-writer.ts';
import { openRedisStore } from './redis-store.ts';
import type { Engines, EngineStatus, UpstreamStatus } from './engines.ts';

/** What an engine is made from. */
export interface LocalEngineOptions {
  readonly runtime: Runtime;
  readonly config: GatewayConfig;
  /** Closed with the engine. */
  readonly registry: Registry | undefined;
  /** Gives the files that the configuration names. */
  readonly files: (name: string) => Uint8Array | undefined;
}

/** The engine of this process and its socket. As a part it stops after what is in front of it has drained. */
export class LocalEngine implements Engines {
  readonly metrics: HttpService;
  readonly explain: HttpService;
  readonly gateway: Gateway;
  readonly #options: LocalEngineOptions;
  readonly #accessLog: LineWriter;
  #server: HttpServer | undefined;

  /** Throws as the constructor of `Gateway` does. */
  constructor(options: LocalEngineOptions) {
    const { runtime, config, registry, files } = options;
    this.#options = options;
    this.#accessLog = new LineWriter(1, runtime);
    const metrics = new MetricRegistry();
    processMetrics(metrics, processReader());
    this.metrics = metricsService(metrics);
    const decisions = new DecisionLog({ process: 'gateway' });
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
      ...(registry !== undefined && { registry }),
    });
    this.explain = explainService(decisions, () => this.gateway.stacks);
    this.registered = metrics;
  }

  /** For a gauge of the registration. */
  readonly registered: MetricRegistry;

  /** Where it listens. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#server?.address ?? this.#options.config.listen;
  }

  async apply(config: GatewayConfig): Promise<void> {
    this.gateway.apply(config);
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
      connections: this.#server?.connections ?? 0,
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
        this.#server = await serve(this.gateway.service, { runtime, address: config.listen });
      },
      drain: async () => this.#server?.drain(),
      stop: async () => this.#server?.stop(),
    };
    return [upstreams, listener];
  }
}

function upstreamsOf(gateway: Gateway): UpstreamStatus[] {
  return [...gateway.targets].map(([target, { group }]) => ({
    target,
    resolved: group.resolved,
    instances: group.view.members.map(({ id, instance, upstream: { endpoint }, blocked }) => ({
      id,
      address: hostPort(instance),
      state: endpoint.state,
      inFlight: endpoint.inFlight,
      ...(blocked !== undefined && { blocked: blocked.reason }),
    })),
  }));
}
