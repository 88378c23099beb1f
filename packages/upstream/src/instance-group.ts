import {
  type EndpointSnapshot,
  type ExcludedCounts,
  hostPort,
  type Instance,
  type Resolver,
} from '@heddle/discovery';
import { type Call, classifyErrors, HeddleError, type Runtime } from '@heddle/kernel';
import { excluded, Load, LoadGroup, type Picker, type Policy } from '@heddle/traffic';
import type { Endpoint } from '@heddle/wire';
import { type GuardOptions, Guards } from './guard.ts';
import { type Held, Member, type Upstream } from './member.ts';

/** What picks are made from. */
export interface GroupView<Req, Res> {
  /** What the registry said; undefined before it has. */
  readonly snapshot: EndpointSnapshot | undefined;
  /** All that take calls, those that cannot be reached too. */
  readonly members: readonly Member<Req, Res>[];
  readonly picker: Picker<Member<Req, Res>>;
}

/** What an instance group is made from. */
export interface InstanceGroupOptions<Req, Res> {
  readonly runtime: Runtime;
  /** Whose instances these are. The group closes it. */
  readonly resolver: Resolver;
  /** Complete: it heeds `Candidate.blocked` (see `available`), as those of `policyByName` do. */
  readonly policy: Policy;
  /** Makes the way to an instance. It may connect on first use. */
  readonly connect: (instance: Instance) => Upstream<Req, Res>;
  /** Breakers and ejection. Default: nobody is judged. */
  readonly guards?: GuardOptions<Req, Res>;
  /** Connects to each new instance before a call needs it, within half a second, not all at one moment. Default false. */
  readonly warmUp?: boolean;
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
  readonly #policy: Policy;
  readonly #loads = new LoadGroup();
  readonly #guards: Guards<Req, Res>;
  readonly #members = new Map<string, Member<Req, Res>>();
  readonly #leaving = new Set<Endpoint>();
  readonly #stopListening: () => void;
  #view: GroupView<Req, Res>;
  #resolved = false;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(options: InstanceGroupOptions<Req, Res>) {
    this.#options = options;
    this.#policy = options.policy;
    const guards = options.guards ?? { classify: classifyErrors, outliers: false };
    this.#guards = new Guards(options.runtime, guards, () => this.#publish());
    this.#view = { snapshot: undefined, members: [], picker: this.#policy([], undefined) };
    this.#stopListening = options.resolver.subscribe((snapshot) => this.#update(snapshot));
  }

  /** True once the instances are known, even if there are none. */
  get resolved(): boolean {
    return this.#resolved;
  }

  /** What picks are made from now. A later update makes another; this one stays as it is. */
  get view(): GroupView<Req, Res> {
    return this.#view;
  }

  /** The target as it was written. */
  get target(): string {
    return this.#options.resolver.target.text;
  }

  /** The instance for this attempt; undefined where that takes waiting (`pickLater`), or there is none. */
  pick(call: Call): Member<Req, Res> | undefined {
    return this.#view.picker.pick(call, call.get(excluded));
  }

  /**
   * As `pick`, after waiting for the first snapshot, and gives the instance to `send` in the same turn: calls that have
   * waited together see each other. Rejects with `unavailable`, `sent: false` if there is no instance.
   */
  async pickLater<T>(call: Call, send: (member: Member<Req, Res>) => Promise<T>): Promise<T> {
    if (!this.#resolved) await this.#firstSnapshot(call);
    return send(this.pick(call) ?? this.#none());
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
    this.#guards.close();
    for (const member of this.#members.values()) member.held.guard.close();
    this.#stopListening();
    this.#options.resolver.close();
    this.#wake();
  }

  #none(): never {
    const { resolver } = this.#options;
    const counts = resolver.current?.excluded ?? nobody;
    const reason = subsetIsEmpty(counts) ? 'SUBSET_EMPTY' : 'NO_INSTANCES';
    throw unavailable(
      reason,
      `${resolver.target.text} has no instance that takes calls (${othersIn(counts)})`,
    );
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
    const address = hostPort(instance);
    const known = this.#members.get(instance.id);
    if (known?.instance === instance) return known;
    if (known?.address === address) return new Member(instance, known.held);
    if (known !== undefined) this.#letGo(known);
    return new Member(instance, this.#join(instance, address));
  }

  #join(instance: Instance, address: string): Held<Req, Res> {
    const upstream = this.#options.connect(instance);
    const { endpoint } = upstream;
    const guard = this.#guards.guard(instance.id, upstream.service);
    let failing = false;
    endpoint.onState((state) => {
      if (state === 'ready') guard.returned();
      if (failing === (state === 'failing')) return;
      failing = !failing;
      this.#publish();
    });
    this.#warmUp(endpoint);
    return { upstream, guard, load: new Load(this.#loads), address };
  }

  #warmUp(endpoint: Endpoint): void {
    const { runtime, warmUp = false } = this.#options;
    if (!warmUp) return;
    runtime.timers.after(runtime.random.float() * warmUpMs, () => {
      if (!this.#closed && endpoint.state === 'idle') void endpoint.connect();
    });
  }

  #letGo(member: Member<Req, Res>): void {
    const { endpoint } = member.upstream;
    member.held.guard.close();
    this.#leaving.add(endpoint);
    void endpoint.drain().finally(() => this.#leaving.delete(endpoint));
  }

  /**
   * Makes the picker. It gets those that cannot be reached too: a zone that has lost half of its instances cannot carry
   * what it did, which `locality` has to know.
   */
  #publish(): void {
    if (this.#closed) return;
    const members = [...this.#members.values()];
    const picker = this.#policy(members, this.#view.picker);
    this.#view = { snapshot: this.#options.resolver.current, members, picker };
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

/** Clients that hear of a new instance at one moment do not all connect to it at one moment. */
const warmUpMs = 500;

const nobody: ExcludedCounts = { subset: 0, state: 0, weight: 0, health: 0, share: 0 };

/** There are instances, and the target's own conditions rule all of them out. */
function subsetIsEmpty({ subset, state, weight, health }: ExcludedCounts): boolean {
  return subset > 0 && state + weight + health === 0;
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
