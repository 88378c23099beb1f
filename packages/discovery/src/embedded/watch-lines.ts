import type { Runtime, Timer } from '@heddle/kernel';
import type { Position } from '../registry/snapshot.ts';
import { Watcher } from '../registry/watcher.ts';
import { aliveEveryMs, encodeJson, type WatchLine } from '../remote/protocol.ts';
import type { LeaseStore } from './lease-store.ts';

/**
 * The lines of one watch. Made when they are asked for, from the table and its history, so that a slow client holds no
 * memory here: it gets the changes since its last line in one, or a snapshot if it has fallen too far behind.
 */
export function watchLines(
  store: LeaseStore,
  service: string,
  from: Position | undefined,
  runtime: Runtime,
  onEnd: () => void,
): Watcher<Uint8Array> {
  let at = from;
  let aliveIsDue = true;
  let alarm: Timer | undefined;
  const nextLine = (): WatchLine | undefined => {
    const changes = at === undefined ? undefined : store.changesSince(service, at);
    const { position } = store;
    if (changes === undefined)
      return { kind: 'snapshot', ...position, instances: store.snapshot(service).instances };
    if (changes.length > 0) return { kind: 'changes', ...position, changes: changes.map(shortChange) };
    return aliveIsDue ? { kind: 'alive', ...position } : undefined;
  };
  const read = (): Uint8Array | undefined => {
    const line = nextLine();
    if (line === undefined) return undefined;
    at = { term: line.term, revision: line.revision };
    aliveIsDue = false;
    alarm?.cancel();
    alarm = runtime.timers.after(aliveEveryMs, () => {
      aliveIsDue = true;
      watcher.poke();
    });
    return withNewline(encodeJson(line));
  };
  const watcher = new Watcher(read, () => {
    alarm?.cancel();
    stopListening();
    onEnd();
  });
  const stopListening = store.changed.listen(service, () => watcher.poke());
  return watcher;
}

function shortChange({ id, instance }: { id: string; instance: WatchedInstance | undefined }): ShortChange {
  return instance === undefined ? { id } : { id, instance };
}

type ShortChange = Extract<WatchLine, { kind: 'changes' }>['changes'][number];
type WatchedInstance = NonNullable<ShortChange['instance']>;

function withNewline(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.byteLength + 1);
  line.set(bytes);
  line[bytes.byteLength] = 0x0a;
  return line;
}
