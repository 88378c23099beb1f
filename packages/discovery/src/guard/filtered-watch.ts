import type { Snapshot } from '../registry/snapshot.ts';
import { Watcher } from '../registry/watcher.ts';

/** What stands between a watch and its reader. */
export interface SnapshotFilter {
  /** What the reader sees now; undefined: nothing yet. */
  readonly current: Snapshot | undefined;
  /** One more has come from inside. */
  push(snapshot: Snapshot): void;
  /** No more will come, or the reader has left: timers go. */
  stop(): void;
}

/** Makes a filter; it calls `changed` when `current` is another than before, also when nothing has come. */
export type MakeFilter = (changed: () => void) => SnapshotFilter;

/** A watch whose snapshots pass through a filter of their own. Ends when the inner one does, and the other way round. */
export function filteredWatch(
  open: (signal: AbortSignal) => AsyncIterable<Snapshot>,
  makeFilter: MakeFilter,
  signal: AbortSignal | undefined,
): Watcher<Snapshot> {
  const leaving = new AbortController();
  const filter = makeFilter(() => watcher.poke());
  const watcher: Watcher<Snapshot> = new Watcher(
    () => filter.current,
    () => {
      leaving.abort();
      filter.stop();
    },
    signal,
  );
  const follow = async (): Promise<void> => {
    for await (const snapshot of open(leaving.signal)) filter.push(snapshot);
    watcher.end();
  };
  // A registry's watch rejects only for a bad name, which `open` has thrown by now.
  if (signal?.aborted !== true) void follow();
  else filter.stop();
  return watcher;
}
