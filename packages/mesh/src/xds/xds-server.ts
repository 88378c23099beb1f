import { create, type MessageShape } from '@bufbuild/protobuf';
import type { Call, Runtime, Timer } from '@heddle/kernel';
import {
  type AdsEffect,
  type AdsInput,
  type AdsRules,
  type AdsState,
  defaultAdsRules,
  noStreams,
  step,
} from './ads/ads-state.ts';
import type { AdsProtocol, AdsPush } from './ads/ads-stream.ts';
import { noResources, type Resources, type Snapshot, typeUrls } from './ads/resource.ts';
import { NodeSchema } from '../gen/envoy/config/core/v3/base_pb.ts';
import type {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
} from '../gen/envoy/service/discovery/v3/discovery_pb.ts';
import type {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from '../gen/envoy/service/discovery/v3/discovery_pb.ts';
import { emptyModel, type MeshModel } from '../model/mesh-model.ts';
import { gatewaySecretResources } from './gateway-secret-resources.ts';
import { Outbox } from './outbox.ts';
import { type ProxyNode, proxyNode } from './proxy-node.ts';
import type { Inexpressible } from './translate/plane.ts';
import { Translator } from './translate/translator.ts';
import { type ProxyView, proxyViews } from './views.ts';
import { deltaRequest, sotwRequest } from './requests.ts';
import { deltaResponse, sotwResponse } from './responses.ts';

/** What an xDS server is made from. */
export interface XdsServerOptions {
  readonly runtime: Runtime;
  readonly trustDomain: string;
  /** The certificates of a proxy of that workload, `namespace/name`, with their keys. Default: there are none. */
  readonly secrets?: (workload: string) => Resources;
  /** The SPIFFE ID that a stream has proved; empty: none. Left out: whoever says who it is is believed. */
  readonly proofOf?: (call: Call) => string | Promise<string>;
  /** The SPIFFE ID of a workload as it is known now, for `proofOf`: its secrets go to who has proved that one. */
  readonly idOf?: (workload: string) => string | undefined;
  readonly rules?: AdsRules;
}

/** The answers of either protocol, as `rpcService` takes them for `AggregatedDiscoveryService`. */
export interface AdsHandlers {
  streamAggregatedResources(
    requests: AsyncIterable<DiscoveryRequest>,
    call: Call,
  ): AsyncIterable<MessageShape<typeof DiscoveryResponseSchema>>;
  deltaAggregatedResources(
    requests: AsyncIterable<DeltaDiscoveryRequest>,
    call: Call,
  ): AsyncIterable<MessageShape<typeof DeltaDiscoveryResponseSchema>>;
}

interface Stream {
  readonly id: string;
  readonly protocol: AdsProtocol;
  readonly call: Call;
}

interface Group {
  readonly proxy: ProxyNode;
  /** The SPIFFE ID that its streams have proved; undefined: they need not. */
  readonly proof: string | undefined;
  inexpressible: readonly Inexpressible[];
}

/** Serves a model to proxies: what each is to have is made here, what each is told is decided by `step`. */
export class XdsServer {
  readonly handlers: AdsHandlers = {
    streamAggregatedResources: (requests, call) =>
      this.#serve('sotw', requests, call, sotwRequest, sotwResponse),
    deltaAggregatedResources: (requests, call) =>
      this.#serve('delta', requests, call, deltaRequest, deltaResponse),
  };
  readonly #options: XdsServerOptions;
  readonly #rules: AdsRules;
  readonly #translator = new Translator();
  readonly #groups = new Map<string, Group>();
  readonly #outboxes = new Map<string, Outbox<AdsPush>>();
  #state: AdsState = noStreams;
  #model: MeshModel;
  #streams = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: XdsServerOptions) {
    this.#options = options;
    this.#rules = options.rules ?? defaultAdsRules;
    this.#model = emptyModel(options.trustDomain);
  }

  /** What is served now. */
  get model(): MeshModel {
    return this.#model;
  }

  /** Serves another model from now on. */
  update(model: MeshModel): void {
    this.#model = model;
    this.#refresh([...this.#groups.keys()]);
  }

  /** The secrets of that workload have changed. */
  renewSecrets(workload: string): void {
    this.#refresh(
      [...this.#groups].filter(([, { proxy }]) => proxy.workload === workload).map(([key]) => key),
    );
  }

  /** Who is connected, what each has taken and what it has refused. */
  get proxies(): readonly ProxyView[] {
    return proxyViews(this.#state);
  }

  /** What planes that are connected cannot do of the rules, each once. */
  get inexpressible(): readonly Inexpressible[] {
    const all = [...this.#groups.values()].flatMap(({ inexpressible }) => inexpressible);
    return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
  }

  /** Ends all streams: their proxies keep what they have, and go to another control plane. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const outbox of this.#outboxes.values()) outbox.close();
  }

  async *#serve<Req extends { node?: DiscoveryRequest['node']; typeUrl: string }, Res>(
    protocol: AdsProtocol,
    requests: AsyncIterable<Req>,
    call: Call,
    read: (request: Req) => ReturnType<typeof sotwRequest>,
    write: (push: AdsPush) => Res,
  ): AsyncIterable<Res> {
    const id = `${++this.#streams}`;
    const outbox = new Outbox<AdsPush>();
    this.#outboxes.set(id, outbox);
    if (this.#closed) outbox.close();
    const stopListening = call.onCancel(() => outbox.close());
    const reading = this.#read({ id, protocol, call }, requests, read).then(
      () => outbox.close(),
      () => outbox.close(),
    );
    try {
      for await (const push of outbox) yield write(push);
    } finally {
      stopListening();
      this.#outboxes.delete(id);
      this.#apply({ kind: 'disconnected', stream: id });
      this.#forgetGroups();
      void reading;
    }
  }

  async #read<Req extends { node?: DiscoveryRequest['node']; typeUrl: string }>(
    stream: Stream,
    requests: AsyncIterable<Req>,
    read: (request: Req) => ReturnType<typeof sotwRequest>,
  ): Promise<void> {
    const { id } = stream;
    for await (const request of requests) {
      if (!this.#state.streams.has(id)) {
        const proof = await this.#options.proofOf?.(stream.call);
        if (!this.#outboxes.has(id)) return;
        this.#connect(stream, request.node, proof);
      }
      const ask = read(request);
      if (ask !== undefined) this.#apply({ kind: 'request', stream: id, request: ask });
    }
  }

  #connect({ id, protocol }: Stream, node: DiscoveryRequest['node'], proof: string | undefined): void {
    const proxy = proxyNode(node ?? noNode);
    const { plane, workload, locality } = proxy;
    const place = [locality.region, locality.zone, locality.subZone];
    const group = [plane, workload, ...place, proof ?? ''].join(' ');
    const isNew = !this.#groups.has(group);
    if (isNew) this.#groups.set(group, { proxy, proof, inexpressible: [] });
    this.#apply({ kind: 'connected', stream: id, protocol, node: proxy.id, group });
    if (isNew) this.#refresh([group]);
  }

  #refresh(keys: readonly string[]): void {
    const snapshots = new Map<string, Snapshot>();
    for (const key of keys) {
      const group = this.#groups.get(key);
      if (group === undefined) continue;
      const secrets = this.#secretsOf(group);
      const { snapshot, inexpressible } = this.#translator.translate(this.#model, group.proxy, secrets);
      group.inexpressible = inexpressible;
      snapshots.set(key, snapshot);
    }
    if (snapshots.size > 0) this.#apply({ kind: 'snapshots', snapshots });
  }

  /** Asked with each model: a workload may come to be known after its proxy has. */
  #secretsOf({ proof, proxy: { workload } }: Group): Resources {
    const { secrets, idOf } = this.#options;
    const isIt = proof === undefined || (proof !== '' && proof === idOf?.(workload));
    if (!isIt) return noResources;
    const own = secrets?.(workload) ?? noResources;
    const ofGateway = gatewaySecretResources(this.#model.workloads.get(workload)?.secrets);
    return ofGateway.size === 0 ? own : new Map([...ofGateway, ...own]);
  }

  /** What is made for a group that nobody is in any more need not be kept up to date. */
  #forgetGroups(): void {
    const used = new Set([...this.#state.streams.values()].map(({ group }) => group));
    const groups = [...this.#groups.keys()].filter((key) => !used.has(key));
    for (const key of groups) this.#groups.delete(key);
    if (groups.length > 0) this.#apply({ kind: 'forgotten', groups });
  }

  #apply(input: AdsInput): void {
    const { clock, timers } = this.#options.runtime;
    const { state, effects } = step(this.#state, input, clock.nowMs(), this.#rules);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind !== 'wake') this.#follow(effect);
      else {
        this.#timer?.cancel();
        this.#timer = timers.after(Math.max(0, effect.atMs - clock.nowMs()), () =>
          this.#apply({ kind: 'time' }),
        );
      }
    }
  }

  #follow(effect: Exclude<AdsEffect, { kind: 'wake' }>): void {
    if (effect.kind === 'push') {
      this.#outboxes.get(effect.stream)?.push(effect);
      return;
    }
    const { name, type, message, node } = effect.refused;
    this.#options.runtime.log('warn', 'a proxy has refused a resource; its group keeps the one before', {
      node,
      type: typeUrls[type],
      name,
      message,
    });
  }
}

const noNode = create(NodeSchema);
