import {
  type EndpointSnapshot,
  type ExcludedCounts,
  hostPort,
  type Instance,
  type Resolver,
} from '@heddle/discovery';
import { type Call, HeddleError, type Runtime } from '@heddle/kernel';
import { excluded, type Picker, type Policy } from '@heddle/traffic';
import type { Endpoint } from '@heddle/wire';
import { Member, type Upstream } from './member.ts';

/** What an instance group is made from. */
export interface InstanceGroupOptions<Req, Res> {
  readonly runtime: Runtime;
  /** Whose instances these are. The group closes it. */
  readonly resolver: Resolver;
  readonly policy: Policy;
  /** Makes the way to an instance. It may connect on first use. */
  readonly connect: (instance: Instance) => Upstream<Req, Res>;
  /** How long a call waits for the first snapshot. Default 5000, and never beyond its deadline. */
  readonly resolveMs?: number;
}

/**
 * The instances of one target and the ways to them, kept in step with the registry.
 * - An update touches only the instances that it changes: the others keep their connections.
 * - An instance that leaves gets no new call; what is in flight on it finishes.
 * - One that cannot be reached is not picked until it can, unless there is no other.
 */
export class InstanceGroup<Req, Res> {
  readonly #options: InstanceGroupOptions<Req, Res>;
  readonly #members = new Map<string, Member<Req, Res>>();
  readonly #leaving = new Set<Endpoint>();
  readonly #stopListening: () => void;
  #picker: Picker<Member<Req, Res>>;
  #resolved = false;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(options: InstanceGroupOptions<Req, Res>) {
    this.#options = options;
    this.#picker = options.policy([], undefined);
    this.#stopListening = options.resolver.subscribe((snapshot) => this.#update(snapshot));
  }

  /** True once the instances are known, even if there are none. */
  get resolved(): boolean {
    return this.#resolved;
  }

  /** Those that calls go to now, for people: unreachable ones are left out while there are others. */
  get candidates(): readonly Member<Req, Res>[] {
    return this.#picker.candidates;
  }

  /** The instance for this attempt. Rejects with `unavailable`, `sent: false` if there is none. */
  async pick(call: Call): Promise<Member<Req, Res>> {
    if (!this.#resolved) await this.#firstSnapshot(call);
    const member = this.#picker.pick(call, call.get(excluded));
    if (member !== undefined) return member;
    const { resolver } = this.#options;
    const message = `${resolver.target.text} has no instance that takes calls (${othersIn(resolver.current?.excluded)})`;
    throw unavailable('NO_INSTANCES', message);
  }

  /** No more calls: lets go of the registry, and resolves when what is in flight is done. */
  async drain(): Promise<void> {
    this.#stop();
    await Promise.all(this.#endpoints().map((endpoint) => endpoint.drain()));
  }

  /** Drops all connections. */
  close(): void {
    this.#stop();
    for (const endpoint of this.#endpoints()) endpoint.close();
  }

  #endpoints(): Endpoint[] {
    return [...[...this.#members.values()].map((member) => member.upstream.endpoint), ...this.#leaving];
  }

  #stop(): void {
    this.#closed = true;
    this.#stopListening();
    this.#options.resolver.close();
    this.#wake();
  }

  #update(snapshot: EndpointSnapshot): void {
    const gone = new Set(this.#members.keys());
    for (const instance of snapshot.instances) {
      this.#members.set(instance.id, this.#memberFor(instance));
      gone.delete(instance.id);
    }
    for (const id of gone) {
      const member = this.#members.get(id);
      this.#members.delete(id);
      if (member !== undefined) this.#letGo(member);
    }
    this.#publish();
    this.#resolved = true;
    this.#wake();
  }

  #memberFor(instance: Instance): Member<Req, Res> {
    const { id, weight } = instance;
    const address = hostPort(instance);
    const known = this.#members.get(id);
    if (known?.address === address)
      return known.weight === weight ? known : new Member(id, address, weight, known.upstream);
    if (known !== undefined) this.#letGo(known);
    return new Member(id, address, weight, this.#join(instance));
  }

  #join(instance: Instance): Upstream<Req, Res> {
    const upstream = this.#options.connect(instance);
    const { endpoint } = upstream;
    let failing = false;
    endpoint.onState((state) => {
      if (failing === (state === 'failing')) return;
      failing = !failing;
      this.#publish();
    });
    return upstream;
  }

  #letGo(member: Member<Req, Res>): void {
    const { endpoint } = member.upstream;
    this.#leaving.add(endpoint);
    void endpoint.drain().finally(() => this.#leaving.delete(endpoint));
  }

  /** Makes the picker for those that can be reached; for all, if none can: one of them may be back already. */
  #publish(): void {
    if (this.#closed) return;
    const all = [...this.#members.values()];
    const reachable = all.filter((member) => member.reachable);
    this.#picker = this.#options.policy(reachable.length > 0 ? reachable : all, this.#picker);
  }

  /** Resolves when the first snapshot has come; rejects when that takes too long. */
  #firstSnapshot(call: Call): Promise<void> {
    const { runtime, resolver, resolveMs = 5000 } = this.#options;
    if (this.#closed)
      return Promise.reject(unavailable('CLIENT_CLOSED', `the client of ${resolver.target.text} is closed`));
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        timer.cancel();
        stopListening();
        resolve();
      };
      const leave = (error: HeddleError): void => {
        this.#waiting = this.#waiting.filter((each) => each !== wake);
        timer.cancel();
        reject(error);
      };
      const timer = runtime.timers.after(resolveMs, () => {
        stopListening();
        const why = resolver.problem?.message ?? 'the registry has not answered';
        leave(
          unavailable(
            'NOT_RESOLVED',
            `${resolver.target.text} is not resolved after ${resolveMs} ms: ${why}`,
          ),
        );
      });
      const stopListening = call.onCancel((error) => leave(error.with({ sent: false })));
      this.#waiting.push(wake);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

function unavailable(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'unavailable', reason, message, sent: false });
}

/** What is known and not called, for people: none is left out. */
function othersIn({
  state = 0,
  weight = 0,
  health = 0,
  subset = 0,
  share = 0,
}: Partial<ExcludedCounts> = {}): string {
  const counts = `${state} not running, ${weight} of weight 0, ${health} critical, ${subset} outside of the subset`;
  return share === 0 ? counts : `${counts}, ${share} left to other clients`;
}
