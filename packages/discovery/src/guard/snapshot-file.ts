import type { Runtime } from '@heddle/kernel';
import { frame, readFrames } from '../embedded/frame.ts';
import type { Instance } from '../registry/instance.ts';
import type { Snapshot } from '../registry/snapshot.ts';
import { readInstance } from '../registry/validate-instance.ts';
import { decodeJson, encodeJson, membersOf, positionOf } from '../remote/protocol.ts';

/** Writes a snapshot to disk, with the time of day. Rejects as the disk does. */
export async function saveSnapshot(runtime: Runtime, path: string, snapshot: Snapshot): Promise<void> {
  const { service, term, revision, instances } = snapshot;
  const content = { format: 1, savedAtMs: runtime.clock.wallMs(), service, term, revision, instances };
  await runtime.disk.replace(path, frame(encodeJson(content)));
}

/**
 * Reads what `saveSnapshot` wrote, as a stale snapshot from disk; undefined if there is none, or none that can be
 * read, which the log says. Its age is by the time of day: there is no other clock that outlives a process.
 */
export async function loadSnapshot(
  runtime: Runtime,
  path: string,
  service: string,
): Promise<Snapshot | undefined> {
  try {
    const bytes = await runtime.disk.read(path);
    if (bytes === undefined) return undefined;
    const snapshot = decode(bytes, service, runtime.clock.wallMs());
    if (snapshot === undefined)
      runtime.log('warn', 'the last known snapshot of a service is damaged', { service, path });
    return snapshot;
  } catch (error) {
    runtime.log('warn', 'the last known snapshot of a service cannot be read', { service, path, error });
    return undefined;
  }
}

function decode(bytes: Uint8Array, service: string, wallMs: number): Snapshot | undefined {
  const { payloads, tail } = readFrames(bytes);
  const [payload] = payloads;
  if (payload === undefined || tail !== 'clean') return undefined;
  const content = decodeJson(payload);
  const members = membersOf(content);
  const position = positionOf(content);
  const { savedAtMs, instances: entries } = members;
  if (members['format'] !== 1 || members['service'] !== service || position === undefined) return undefined;
  if (typeof savedAtMs !== 'number' || !Array.isArray(entries)) return undefined;
  const instances = entries
    .map((entry) => readInstance(entry).instance)
    .filter((one): one is Instance => one !== undefined);
  const ageMs = Math.max(0, wallMs - savedAtMs);
  return { service, ...position, ageMs, stale: true, source: 'disk', instances, heldBack: 0 };
}
