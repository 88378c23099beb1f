// What belongs to the repository, for scripts that look at all of it.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of the repository. */
export const root: string = path.resolve(import.meta.dirname, '..');

/** Files that git knows or would take, relative to `folder`, with forward slashes; deleted ones are left out. */
export function repositoryFiles(folder: string = root): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const names = new Set(listed.split('\0').filter((name) => name !== ''));
  return [...names].filter((name) => existsSync(path.join(folder, name))).sort();
}

/** Tests that need no socket and no process, and may therefore share one. */
export function isUnitTest(file: string): boolean {
  return file.endsWith('.test.ts') && !file.endsWith('.it.test.ts');
}

/** Tests that open sockets, start processes or write files: each file runs in its own process. */
export function isIntegrationTest(file: string): boolean {
  return file.endsWith('.it.test.ts');
}
