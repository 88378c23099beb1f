import {
  type EndpointListener,
  type EndpointSnapshot,
  type Instance,
  type Resolver,
  sameInstance,
  type Target,
} from '@heddle/discovery';
import type { Clock, HeddleError } from '@heddle/kernel';

/** A resolver that is told: the instances of a cluster are those that the rules assign to it. */
export class AssignedResolver implements Resolver {
  readonly target: Target;
  readonly problem: HeddleError | undefined = undefined;
  readonly #clock: Clock;
  readonly #listeners = new Set<EndpointListener>();
  #current: EndpointSnapshot | undefined;
  #revision = 0;

  /** `name`: of the cluster, for people. */
  constructor(name: string, clock: Clock) {
    this.target = { kind: 'static', text: name, endpoints: [] };
    this.#clock = clock;
  }

  get current(): EndpointSnapshot | undefined {
    return this.#current;
  }

  /** These are the instances from now on. One that says what it said before stays the same object. */
  assign(instances: readonly Instance[]): void {
    const before = new Map(this.#current?.instances.map((each) => [each.id, each]));
    const kept = instances.map((each) => {
      const old = before.get(each.id);
      return old !== undefined && sameInstance(old, each) ? old : each;
    });
    this.#revision += 1;
    this.#current = {
      instances: kept.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      excluded: { subset: 0, state: 0, weight: 0, health: 0, share: 0 },
      term: 0,
      revision: this.#revision,
      asOfMs: this.#clock.nowMs(),
      stale: false,
      source: 'registry',
      heldBack: 0,
      panic: false,
    };
    for (const listener of this.#listeners) listener(this.#current);
  }

  subscribe(listener: EndpointListener): () => void {
    const own: EndpointListener = (snapshot) => listener(snapshot);
    this.#listeners.add(own);
    if (this.#current !== undefined) own(this.#current);
    return () => this.#listeners.delete(own);
  }

  close(): void {
    this.#listeners.clear();
  }
}
