import assert from 'node:assert/strict';
import type { Registry } from '../registry/registry.ts';
import { comparePositions, type Snapshot } from '../registry/snapshot.ts';

/** All that one watch has handed out so far, checked against the contract as it comes. */
export interface WatchRecord {
  readonly snapshots: readonly Snapshot[];
  readonly latest: Snapshot | undefined;
  /** Ids of the latest, joined by commas; undefined before the first. */
  readonly ids: string | undefined;
  /** Ends the watch, and rejects if it ever broke the contract. */
  stop(): Promise<void>;
}

/** Watches from now on. */
export function recordWatch(registry: Registry, service: string): WatchRecord {
  const snapshots: Snapshot[] = [];
  const watch = registry.watch(service);
  const reading = (async () => {
    for await (const snapshot of watch) {
      checkOrder(snapshots.at(-1), snapshot);
      assert.equal(snapshot.service, service);
      snapshots.push(snapshot);
    }
  })();
  // Looked at in `stop`; until then a breach must not end the process.
  reading.catch(() => {});
  return {
    snapshots,
    get latest() {
      return snapshots.at(-1);
    },
    get ids() {
      return snapshots
        .at(-1)
        ?.instances.map(({ id }) => id)
        .join();
    },
    stop: async () => {
      await watch.return?.();
      await reading;
    },
  };
}

function checkOrder(before: Snapshot | undefined, after: Snapshot): void {
  const ids = after.instances.map(({ id }) => id);
  assert.deepEqual(ids, ids.toSorted(), 'instances are sorted by id');
  assert.ok(after.ageMs >= 0);
  if (before === undefined) return;
  const step = comparePositions(after, before);
  assert.ok(step >= 0, `a watch went back from ${show(before)} to ${show(after)}`);
  const isOther = after.stale !== before.stale || after.heldBack !== before.heldBack;
  assert.ok(step > 0 || isOther, `position ${show(after)} came twice`);
}

function show({ term, revision, stale }: Snapshot): string {
  return `term ${term} revision ${revision}${stale ? ' (stale)' : ''}`;
}
