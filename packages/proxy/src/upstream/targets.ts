import { type Instance, type Registry, resolver } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import { RetryBudget } from '@heddle/traffic';
import { InstanceGroup, policyByName, type Upstream } from '@heddle/upstream';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { classifyAnswer } from '../forward/classify.ts';
import type { UpstreamProtocol } from '../model/route.ts';

/** What all routes to one target share, in every version of the configuration that has it. */
export interface Target {
  readonly group: InstanceGroup<HttpRequest, HttpResponse>;
  readonly budget: RetryBudget;
}

/** What targets are made with. */
export interface TargetsOptions {
  readonly runtime: Runtime;
  readonly registry: Registry | undefined;
  readonly connect: (instance: Instance, protocol: UpstreamProtocol) => Upstream<HttpRequest, HttpResponse>;
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

  /** Begins to hold targets; nothing is made yet. */
  hold(): HeldTargets {
    return new HeldTargets(this);
  }

  /** For `HeldTargets`. Throws as `resolver` of discovery does. */
  take(name: string, protocol: UpstreamProtocol): Target {
    const key = keyOf(name, protocol);
    const known = this.#shared.get(key);
    if (known !== undefined) {
      known.holders += 1;
      return known.target;
    }
    const target = this.#make(name, protocol);
    this.#shared.set(key, { target, holders: 1 });
    return target;
  }

  /** For `HeldTargets`, by `keyOf`. Resolves when a target that nobody holds any more has finished its calls. */
  async release(key: string): Promise<void> {
    const known = this.#shared.get(key);
    if (known === undefined) return;
    known.holders -= 1;
    if (known.holders > 0) return;
    this.#shared.delete(key);
    await known.target.group.drain();
  }

  #make(name: string, protocol: UpstreamProtocol): Target {
    const { runtime, registry, connect } = this.#options;
    const source = resolver(name, registry === undefined ? { runtime } : { runtime, registry });
    const policy = policyByName('weighted_round_robin', runtime);
    const guards = { classify: classifyAnswer };
    const group = new InstanceGroup({
      runtime,
      resolver: source,
      policy,
      connect: (instance) => connect(instance, protocol),
      guards,
    });
    return { group, budget: new RetryBudget(runtime.clock) };
  }
}

/** The targets of one version. */
export class HeldTargets {
  readonly #targets: Targets;
  readonly #held = new Map<string, Target>();

  constructor(targets: Targets) {
    this.#targets = targets;
  }

  /** Every target by its name. */
  get all(): ReadonlyMap<string, Target> {
    return this.#held;
  }

  /** The target of that name by a protocol. Throws as `resolver` of discovery does. */
  get(name: string, protocol: UpstreamProtocol): Target {
    const key = keyOf(name, protocol);
    const known = this.#held.get(key);
    if (known !== undefined) return known;
    const target = this.#targets.take(name, protocol);
    this.#held.set(key, target);
    return target;
  }

  /** Lets go of all. Resolves when those that were held here alone have finished their calls. */
  async release(): Promise<void> {
    const names = [...this.#held.keys()];
    this.#held.clear();
    await Promise.all(names.map((name) => this.#targets.release(name)));
  }
}

/** What is spoken is part of what it is: connections of one protocol are no good for the other. */
function keyOf(name: string, protocol: UpstreamProtocol): string {
  return protocol === 'http1' ? name : `${name} (${protocol})`;
}
