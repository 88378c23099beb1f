import { HeddleError } from './error.ts';

/**
 * A path of the `Disk` port without `.`, `..` and empty parts; empty for the root itself.
 * Throws `invalid_argument` / `PATH_OUTSIDE_ROOT` for one that leads out of the root. For implementations of the port.
 */
export function cleanDiskPath(path: string): string {
  const parts: string[] = [];
  let outside = path.startsWith('/') || path.includes('\0');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) outside = true;
  }
  if (!outside) return parts.join('/');
  const message = `path ${JSON.stringify(path)} leads out of the data folder; give one relative to it`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'PATH_OUTSIDE_ROOT', message, sent: false });
}
