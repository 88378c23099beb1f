import type { HeddleError } from '@heddle/kernel';
import type { Instance } from '../registry/instance.ts';
import type { SnapshotSource } from '../registry/snapshot.ts';
import type { Target } from './target.ts';

/** How many the registry had besides, by the first reason to leave them out. For decision records. */
export interface ExcludedCounts {
  readonly subset: number;
  readonly state: number;
  readonly weight: number;
  /** Critical; none in a panic. */
  readonly health: number;
  /** Left to other clients by `subsetting`. */
  readonly share: number;
}

/** Where calls to a target may go. Never changed once handed out; an instance that did not change is the same object. */
export interface EndpointSnapshot {
  /**
   * Those that the target's subset chooses and that take calls: state `running`, weight above 0, health not `critical`;
   * with `subsetting`, this client's share of them. Sorted by id.
   */
  readonly instances: readonly Instance[];
  readonly excluded: ExcludedCounts;
  readonly term: number;
  readonly revision: number;
  /** When the registry last stood by this, in `clock.nowMs()` time: the age is what has passed since. */
  readonly asOfMs: number;
  readonly stale: boolean;
  readonly source: SnapshotSource;
  /** How many of the registry's instances it has dropped itself, and a guard still shows (see `emptyPushGuard`). */
  readonly heldBack: number;
  /** True when so few are healthy that all are shown, whatever their health (see `ResolverOptions.panicShare`). */
  readonly panic: boolean;
}

/** Hears of every new snapshot. Must not throw. */
export type EndpointListener = (snapshot: EndpointSnapshot) => void;

/** The endpoints of one target, kept up to date by the registry. Push-based: nothing is asked on the request path. */
export interface Resolver {
  readonly target: Target;
  /** The newest snapshot; undefined until the first has come. */
  readonly current: EndpointSnapshot | undefined;
  /** Why there is no snapshot, or none that is fresh. Undefined when all is well. */
  readonly problem: HeddleError | undefined;
  /** Calls `listener` with `current`, if there is one, and then with every new one. Returns a function that ends that. */
  subscribe(listener: EndpointListener): () => void;
  /** Ends the watch. No listener is called afterwards; `current` stays as it is. */
  close(): void;
}
