import { type EndpointSnapshot, type Instance, type Resolver, resolver } from '@heddle/discovery';
import type { Registry } from '@heddle/discovery';
import { type Call, HeddleError, type Runtime } from '@heddle/kernel';
import {
  type Candidate,
  excluded,
  type Picker,
  type Policy,
  picked,
  weightedRoundRobin,
} from '@heddle/traffic';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import type { Dial, Dialled } from './dial.ts';

/** What an upstream is made from. */
export interface UpstreamOptions {
  readonly runtime: Runtime;
  /** For `discovery:` targets. */
  readonly registry: Registry | undefined;
  readonly dial: Dial;
  /** Default weighted round robin. */
  readonly policy?: Policy;
}

interface Endpoint extends Candidate {
  readonly instance: Instance;
  readonly dialled: Dialled;
}

/**
 * All instances of one target as one service: each call (each attempt, under `retry`) goes to one of them. Follows
 * the resolver; an instance that stays keeps its connections, one that goes finishes what it has.
 */
export class Upstream {
  readonly target: string;
  readonly #resolver: Resolver;
  readonly #dial: Dial;
  readonly #policy: Policy;
  readonly #unsubscribe: () => void;
  readonly #closing = new Set<Promise<void>>();
  #picker: Picker<Endpoint> | undefined;
  #waiting = new Set<() => void>();

  /** Starts to follow `target`. Throws as `resolver` of discovery does. */
  constructor(target: string, options: UpstreamOptions) {
    const { runtime, registry, dial, policy = weightedRoundRobin } = options;
    this.target = target;
    this.#dial = dial;
    this.#policy = policy;
    this.#resolver = resolver(target, registry === undefined ? { runtime } : { runtime, registry });
    this.#unsubscribe = this.#resolver.subscribe((snapshot) => this.#update(snapshot));
  }

  /** True once the instances are known, even if there are none. */
  get resolved(): boolean {
    return this.#picker !== undefined;
  }

  /**
   * Sends a call to one instance, whose id it puts into `picked`. A call that comes before the first word of the
   * registry waits for it. Rejects with `unavailable` / `NO_INSTANCES`, `sent: false`, when there is none.
   */
  readonly service = async (req: HttpRequest, call: Call): Promise<HttpResponse> => {
    if (this.#picker === undefined) await this.#firstSnapshot(call);
    const endpoint = this.#picker?.pick(call, call.get(excluded));
    if (endpoint === undefined) throw this.#noInstances();
    call.set(picked, endpoint.id);
    return endpoint.dialled.service(req, call);
  };

  /** Ends the watch; resolves when all calls are done and the connections closed. */
  async drain(): Promise<void> {
    this.#unsubscribe();
    this.#resolver.close();
    for (const { dialled } of this.#picker?.candidates ?? []) this.#release(dialled);
    await Promise.all(this.#closing);
  }

  #update({ instances }: EndpointSnapshot): void {
    const before = new Map(this.#picker?.candidates.map((endpoint) => [endpoint.id, endpoint]));
    const endpoints = instances.map((instance) => {
      const known = before.get(instance.id);
      if (known !== undefined && sameAddress(known.instance, instance)) {
        before.delete(instance.id);
        return { id: instance.id, weight: instance.weight, instance, dialled: known.dialled };
      }
      return { id: instance.id, weight: instance.weight, instance, dialled: this.#dial(instance) };
    });
    this.#picker = this.#policy(endpoints, this.#picker);
    for (const { dialled } of before.values()) this.#release(dialled);
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  #release(dialled: Dialled): void {
    const closing = dialled.drain().finally(() => {
      dialled.close();
      this.#closing.delete(closing);
    });
    this.#closing.add(closing);
  }

  #firstSnapshot(call: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        stopListening();
        resolve();
      };
      this.#waiting.add(wake);
      const stopListening = call.onCancel((error) => {
        this.#waiting.delete(wake);
        reject(error.with({ sent: false }));
      });
    });
  }

  #noInstances(): HeddleError {
    const { problem } = this.#resolver;
    const because = problem === undefined ? '' : ` (${problem.message})`;
    const message = `no instance of ${this.target} is running${because}`;
    return new HeddleError({
      code: 'unavailable',
      reason: 'NO_INSTANCES',
      message,
      sent: false,
      cause: problem,
    });
  }
}

function sameAddress(a: Instance, b: Instance): boolean {
  return a.address === b.address && a.port === b.port && a.protocol === b.protocol;
}
