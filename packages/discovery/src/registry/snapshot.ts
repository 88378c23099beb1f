import type { Instance } from './instance.ts';

/** Where a snapshot came from: the registry itself, the copy kept on disk, or a list written in the target. */
export type SnapshotSource = 'registry' | 'disk' | 'static';

/**
 * All instances of one service at one moment. Never changed once handed out; may be shared by many readers.
 *
 * `(term, revision)` orders snapshots: the term grows whenever the registry starts, the revision with every change in
 * it. A watch never hands out a snapshot that is older than the one before.
 */
export interface Snapshot {
  readonly service: string;
  readonly term: number;
  /** The registry's revision when this was true; that of any service's change, not of this one's alone. */
  readonly revision: number;
  /** How long ago the registry stood by this, in milliseconds, when the snapshot was handed out. */
  readonly ageMs: number;
  /** True while the registry cannot be asked: this is the last that was known. */
  readonly stale: boolean;
  readonly source: SnapshotSource;
  /** Sorted by id. */
  readonly instances: readonly Instance[];
  /** How many of `instances` the registry has dropped, but a guard still shows (see `emptyPushGuard`). Default 0. */
  readonly heldBack: number;
}

/** A point in a registry's history. */
export type Position = Pick<Snapshot, 'term' | 'revision'>;

/** Negative if `a` is older than `b`, positive if newer, 0 for the same point. */
export function comparePositions(a: Position, b: Position): number {
  return a.term === b.term ? a.revision - b.revision : a.term - b.term;
}
