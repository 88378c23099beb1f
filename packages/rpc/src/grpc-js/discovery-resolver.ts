import { experimental, Metadata, status } from '@grpc/grpc-js';
import { type EndpointSnapshot, type Registry, type Resolver, resolver } from '@heddle/discovery';
import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { type ChannelTarget, readChannelTarget } from './channel-target.ts';
import { endpointOf } from './instance-endpoint.ts';
import { type BalancingDefaults, serviceConfigFor } from './service-config.ts';

/** Where resolvers look, and what they say of balancing where the channel does not. */
export interface DiscoveryResolverOptions extends BalancingDefaults {
  readonly runtime: Runtime;
  readonly registry: Registry;
}

/** How long a channel waits for the registry before its calls fail. */
const firstAnswerMs = 5000;

/** A resolver class for grpc-js that follows a registry. */
export function discoveryResolver(
  options: DiscoveryResolverOptions,
): Parameters<typeof experimental.registerResolver>[1] {
  return class extends DiscoveryResolver {
    constructor(
      target: experimental.GrpcUri,
      listener: experimental.ResolverListener,
      channelOptions: Readonly<Record<string, unknown>>,
    ) {
      super(options, target, listener, channelOptions);
    }

    /** The service's name: what grpc-js sends as `:authority`, where a `/` or `?` would break the stream. */
    static getDefaultAuthority(target: experimental.GrpcUri): string {
      return readChannelTarget(target).service;
    }
  };
}

/**
 * Pushes what the registry says. grpc-js asks for more on every connection that is lost; it is not answered, since
 * whoever answers at once out of a cache is asked again at once, for ever: what changes is pushed anyway.
 */
class DiscoveryResolver implements experimental.Resolver {
  readonly #options: DiscoveryResolverOptions;
  readonly #target: ChannelTarget;
  readonly #listener: experimental.ResolverListener;
  // One object for the life of the channel: a new one for each update would mean new connections for each update.
  readonly #serviceConfig: ReturnType<typeof serviceConfigFor>;
  #source: Resolver | undefined;
  #timer: Timer | undefined;

  constructor(
    options: DiscoveryResolverOptions,
    target: experimental.GrpcUri,
    listener: experimental.ResolverListener,
    channelOptions: Readonly<Record<string, unknown>>,
  ) {
    this.#options = options;
    this.#target = readChannelTarget(target);
    this.#listener = listener;
    this.#serviceConfig = serviceConfigFor(this.#target, channelOptions['grpc.service_config'], options);
  }

  updateResolution(): void {
    if (this.#source !== undefined) return;
    const { runtime, registry } = this.#options;
    const source = resolver(this.#target.text, { runtime, registry });
    this.#source = source;
    // The contract: never from within this call.
    runtime.timers.soon(() => {
      if (this.#source !== source) return;
      source.subscribe((snapshot) => this.#push(source, snapshot));
      if (source.current === undefined)
        this.#timer = runtime.timers.after(firstAnswerMs, () => this.#fail(source));
    });
  }

  destroy(): void {
    this.#timer?.cancel();
    this.#source?.close();
    this.#source = undefined;
  }

  #push(source: Resolver, snapshot: EndpointSnapshot): void {
    if (this.#source !== source) return;
    this.#timer?.cancel();
    const { instances, excluded, revision } = snapshot;
    const { state, weight, health, subset } = excluded;
    const note = `${this.#target.text} at revision ${revision}: ${instances.length} instances take calls (besides ${state} not running, ${health} critical, ${weight} of weight 0, ${subset} outside of the subset)`;
    this.#tell(experimental.statusOrFromValue(instances.map(endpointOf)), note);
  }

  #fail(source: Resolver): void {
    if (this.#source !== source || source.current !== undefined) return;
    const why = source.problem?.message ?? 'the registry has not answered';
    const details = `${this.#target.text} is not resolved after ${firstAnswerMs} ms: ${why}`;
    const error = { code: status.UNAVAILABLE, details, metadata: new Metadata() };
    this.#tell(experimental.statusOrFromError(error), details);
  }

  /** What grpc-js does with an answer runs in here: a mistake there must not take the watch down. */
  #tell(endpoints: Parameters<experimental.ResolverListener>[0], note: string): void {
    try {
      this.#listener(endpoints, {}, this.#serviceConfig, note);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.#options.runtime.log('error', 'grpc-js has not taken the instances', {
        target: this.#target.text,
        error,
      });
    }
  }
}
