import { type Instance, type Registry, resolver } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import { RetryBudget } from '@heddle/traffic';
import {
  type GuardOptions,
  InstanceGroup,
  policyByName,
  type Upstream,
  type WayOptions,
} from '@heddle/upstream';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { classifyAnswer } from '../forward/classify.ts';
import type { UpstreamProtocol } from '../model/route.ts';
import { checkedBy } from './checked-by.ts';
import { type ReadFile, upstreamTls } from './upstream-tls.ts';
import type { UpstreamConfig } from './upstream-schema.ts';

/** What all routes to one target share, in every version of the configuration that has it. */
export interface Target {
  readonly group: InstanceGroup<HttpRequest, HttpResponse>;
  readonly budget: RetryBudget;
  readonly config: UpstreamConfig;
}

/** What targets are made with. */
export interface TargetsOptions {
  readonly runtime: Runtime;
  readonly registry: Registry | undefined;
  readonly connect: (
    instance: Instance,
    protocol: UpstreamProtocol,
    way: WayOptions,
  ) => Upstream<HttpRequest, HttpResponse>;
  readonly files: ReadFile;
  /** Hears what becomes of the instances of a target, and says what others have found; see `GuardOptions`. */
  readonly guards?: (target: string) => Pick<GuardOptions<HttpRequest, HttpResponse>, 'shared'>;
}

interface Shared {
  readonly target: Target;
  holders: number;
}

/** The targets of all versions that are in use: one that two of them have keeps its connections and what is known of it. */
export class Targets {
  readonly #options: TargetsOptions;
  readonly #shared = new Map<string, Shared>();

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  /** Begins to hold targets of a version, whose `upstreams` these are; nothing is made yet. */
  hold(upstreams: Readonly<Record<string, UpstreamConfig>>): HeldTargets {
    return new HeldTargets(this, upstreams);
  }

  /** For `HeldTargets`. Throws as `resolver` of discovery does, and `FILE_MISSING` for what TLS needs. */
  take(key: string, name: string, config: UpstreamConfig, protocol: UpstreamProtocol): Target {
    const known = this.#shared.get(key);
    if (known !== undefined) {
      known.holders += 1;
      return known.target;
    }
    const target = this.#make(name, config, protocol);
    this.#shared.set(key, { target, holders: 1 });
    return target;
  }

  /** For `HeldTargets`. Resolves when a target that nobody holds any more has finished its calls. */
  async release(key: string): Promise<void> {
    const known = this.#shared.get(key);
    if (known === undefined) return;
    known.holders -= 1;
    if (known.holders > 0) return;
    this.#shared.delete(key);
    await known.target.group.drain();
  }

  #make(name: string, config: UpstreamConfig, protocol: UpstreamProtocol): Target {
    const { runtime, registry, connect, files, guards } = this.#options;
    const tls = config.tls && upstreamTls(config.tls, files, runtime);
    const way: WayOptions = {
      ...(tls !== undefined && { tls }),
      ...(config.pool !== undefined && { pool: config.pool }),
    };
    const policy = policyOf(config, runtime);
    const plain = resolver(config.target, registry === undefined ? { runtime } : { runtime, registry });
    const group = new InstanceGroup({
      runtime,
      resolver: config.health === undefined ? plain : checkedBy(config.health, plain, runtime, tls),
      policy,
      connect: (instance) => connect(instance, protocol, way),
      guards: {
        classify: classifyAnswer,
        ...(config.breaker !== undefined && { breaker: config.breaker }),
        ...(config.ejection !== undefined && { outliers: config.ejection }),
        ...guards?.(name),
      },
    });
    return { group, budget: new RetryBudget(runtime.clock), config };
  }
}

function policyOf(config: UpstreamConfig, runtime: Runtime): ReturnType<typeof policyByName> {
  const { policy = 'weighted_round_robin', boundedLoad, slowStartMs, zone, region } = config;
  return policyByName(policy, {
    ...runtime,
    ...(boundedLoad !== undefined && { boundedLoad }),
    ...(slowStartMs !== undefined && { slowStartMs }),
    ...(zone !== undefined && { zone }),
    ...(region !== undefined && { region }),
  });
}

interface Held {
  readonly key: string;
  readonly target: Target;
}

/** The targets of one version. */
export class HeldTargets {
  readonly #targets: Targets;
  readonly #upstreams: Readonly<Record<string, UpstreamConfig>>;
  readonly #held = new Map<string, Held>();

  constructor(targets: Targets, upstreams: Readonly<Record<string, UpstreamConfig>>) {
    this.#targets = targets;
    this.#upstreams = upstreams;
  }

  /** Every target by its name. */
  get all(): ReadonlyMap<string, Target> {
    return new Map(Array.from(this.#held, ([name, { target }]) => [name, target]));
  }

  /** The upstream of that name, or the target, by a protocol. Throws as `Targets.take`. */
  get(upstream: string, protocol: UpstreamProtocol): Target {
    // What is spoken is part of what it is: connections of one protocol are no good for the other.
    const name = protocol === 'http1' ? upstream : `${upstream} (${protocol})`;
    const known = this.#held.get(name);
    if (known !== undefined) return known.target;
    const config = this.#upstreams[upstream] ?? { target: upstream };
    // What has other settings is another one, whatever its name: a version keeps what it began with.
    const key = JSON.stringify([protocol, config]);
    const target = this.#targets.take(key, name, config, protocol);
    this.#held.set(name, { key, target });
    return target;
  }

  /** Lets go of all. Resolves when those that were held here alone have finished their calls. */
  async release(): Promise<void> {
    const keys = Array.from(this.#held.values(), ({ key }) => key);
    this.#held.clear();
    await Promise.all(keys.map((key) => this.#targets.release(key)));
  }
}
