import type { HeddleError } from '@heddle/kernel';
import type { Health, Instance, InstanceInit } from './instance.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * A statement that is held true until it is taken back: "this instance is registered".
 * Readiness may depend on `registered`.
 */
export interface DesiredRegistration {
  /** As registered, with all defaults filled in. */
  readonly instance: Instance;
  /** The gauge: true while the registry has confirmed this instance within its lease. */
  readonly registered: boolean;
  /** Why it is not registered at the moment, or why the last renewal failed. Undefined when all is well. */
  readonly problem: HeddleError | undefined;
  /** Hears of every change of `registered`, not of the present value. Returns a function that stops listening. */
  subscribe(listener: (registered: boolean) => void): () => void;
}

/**
 * Knows which instances of a service exist. All methods may be called at any time by anyone; every one that asks a
 * server has its own deadline, and rejects with a `HeddleError`: `unavailable` if nobody answers (`sent: false` if
 * nothing was sent), `unauthenticated` or `permission_denied`, `unimplemented` / `UNSUPPORTED` for what a backend
 * cannot do, `failed_precondition` / `REGISTRY_CLOSED` after `close`.
 */
export interface Registry {
  /** The backend, e.g. `embedded`. For people and metrics. */
  readonly name: string;
  /**
   * Where its data are, each server or cluster by one text such as `etcd 10.0.0.1:2379/registry`: two objects that share
   * one are clients of the same registry. Undefined: it is not known.
   */
  readonly places?: readonly string[] | undefined;
  /** Why the backend could not be asked the last time; undefined when all is well. */
  readonly problem: HeddleError | undefined;

  /**
   * States that `instance` exists. It is then *kept* registered, through lost leases, outages and wiped servers, until
   * `deregister` or `close`: retries never end, and are capped and jittered. Stating the same service and id again
   * replaces what was stated (a new weight, a drained state).
   *
   * Resolves when the first attempt has succeeded or failed, so in bounded time: read `registered` for which.
   * Rejects only for a bad instance: `invalid_argument` / `BAD_INSTANCE` with every wrong field named, before
   * anything is sent.
   *
   * When two processes register one id, the one that called `register` last has it. The other's renewals are refused
   * with `aborted` / `LEASE_SUPERSEDED`; it reports that as its `problem`, and steps in again if the winner goes.
   */
  register(instance: InstanceInit): Promise<DesiredRegistration>;

  /**
   * Takes the statement back, and the entry away. The statement is gone even if this rejects because the registry
   * cannot be told: the lease then runs out by itself. Does nothing if it was never made here.
   */
  deregister(service: string, id: string): Promise<void>;

  /**
   * Renews the lease now, and says how the instance is. Only needed to report health: renewing goes on by itself.
   * Rejects with `not_found` / `NOT_REGISTERED` if this process has not registered it.
   */
  heartbeat(service: string, id: string, health?: Health): Promise<void>;

  /** What the registry knows now. A service that nobody registered has no instances; that is no error. */
  instances(service: string): Promise<Snapshot>;

  /**
   * A full snapshot first, then one after every change, in order, never older than the one before. Conflated: a reader
   * that is slower than the changes gets the newest state and not the ones between. It resynchronises by itself after
   * whatever breaks it. While the registry cannot be asked, the last snapshot comes once more, `stale`, and again
   * fresh when the registry stands by it: only then, and while a guard holds instances back, does a position repeat.
   *
   * Ends (without an error) on `signal`, on the reader's leaving, and on `close`. Only a bad name rejects.
   */
  watch(service: string, signal?: AbortSignal): AsyncIterableIterator<Snapshot>;

  /** Names of the services that have instances, sorted. */
  services(): Promise<readonly string[]>;

  /** Deregisters what this registry object has registered, as far as it can, and ends its watches. Never rejects. */
  close(): Promise<void>;
}
