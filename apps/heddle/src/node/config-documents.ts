import { readdirSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import type { Runtime, Timer } from '@heddle/kernel';
import type { ConfigDocument } from '@heddle/proxy';
import { readTextFile } from './config-file.ts';

const what = 'gateway configuration';
/** An editor writes in several steps: what follows so closely is one change. */
const quietMs = 50;
/** Some file systems tell of no change. */
const lookAgainMs = 10_000;

/**
 * The gateway file, or all `.yaml`, `.yml` and `.json` files of a folder in order of their names. Throws `not_found` /
 * `FILE_UNREADABLE`.
 */
export function readDocuments(place: string): ConfigDocument[] {
  if (!isFolder(place)) return [{ source: place, content: readTextFile(place, what) }];
  return readdirSync(place)
    .filter((name) => /^[^.].*\.(yaml|yml|json)$/.test(name))
    .sort()
    .map((name) => path.join(place, name))
    .map((file) => ({ source: file, content: readTextFile(file, what) }));
}

/** Calls `changed` when something there may have changed. Returns what ends that. */
export function watchDocuments(place: string, { timers }: Runtime, changed: () => void): () => void {
  let quiet: Timer | undefined;
  let again: Timer | undefined;
  const soon = (): void => {
    quiet ??= timers.after(quietMs, () => {
      quiet = undefined;
      changed();
    });
  };
  const look = (): void => {
    again = timers.after(lookAgainMs, look);
    changed();
  };
  again = timers.after(lookAgainMs, look);
  // The folder rather than the file: who replaces a file leaves the watch on the old one.
  const watcher = watch(isFolder(place) ? place : path.dirname(path.resolve(place)), soon);
  watcher.on('error', () => {});
  return () => {
    watcher.close();
    quiet?.cancel();
    again?.cancel();
  };
}

function isFolder(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
}
