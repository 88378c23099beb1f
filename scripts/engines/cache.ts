// Where installed engines live, shared by all clones of a user, and where running ones keep their data.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

/** The folder of everything that was installed; removing it is always safe. `XDG_CACHE_HOME` is respected. */
export const cacheFolder: string = path.join(
  process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'),
  'heddle',
  'engines',
);

/** The place of one installed thing. `key` names all that its content depends on. */
export function cached(key: string): string {
  return path.join(cacheFolder, key);
}

/** Fills `cached(key)` all or nothing: `fill` works in a folder beside it, which then takes the name. */
export async function fillCache(key: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const wanted = cached(key);
  mkdirSync(path.dirname(wanted), { recursive: true });
  const draft = mkdtempSync(`${wanted}.draft-`);
  try {
    await fill(draft);
    // Another process may have been faster; what it made is as good as ours.
    if (!existsSync(wanted)) renameSync(draft, wanted);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return wanted;
}

/** A short name for the content of a source folder, so that a change of the source is another key. */
export function contentKey(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true }).map(String).sort()) {
    if (!/\.(go|mod|sum|cc|proto|py|xml|java|sql)$/.test(name)) continue;
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(path.join(folder, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

/** A folder for one run of a server. */
export function dataFolder(name: string): string {
  return mkdtempSync(path.join(tmpdir(), `heddle-${name}-`));
}
