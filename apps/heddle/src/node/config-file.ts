import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HeddleError } from '@heddle/kernel';

/** A text file that the user has named. Throws `not_found` / `FILE_UNREADABLE` with what to do. */
export function readTextFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    const why = whyNot(thrown);
    const message = `the ${what} ${path} cannot be read: ${why}`;
    throw new HeddleError({ code: 'not_found', reason: 'FILE_UNREADABLE', message, cause: thrown });
  }
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EISDIR: 'it is a folder',
};

function whyNot(thrown: unknown): string {
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  return words[code] ?? message ?? String(thrown);
}

/** What names in a configuration (a file or a folder) are relative to. */
export function folderOf(place: string): string {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  return resolve(isFolder ? place : dirname(place));
}

/** The files that a configuration (a file or a folder) names, relative to its place; undefined for one that cannot be read. */
export function filesBeside(place: string): (name: string) => Uint8Array | undefined {
  const folder = folderOf(place);
  return (name) => {
    try {
      return readFileSync(resolve(folder, name));
    } catch {
      return undefined;
    }
  };
}
