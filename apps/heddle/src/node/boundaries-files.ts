import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import nodePath from 'node:path';
import { HeddleError } from '@heddle/kernel';

const passedOver = new Set(['node_modules', 'dist', 'target', 'vendor']);

/**
 * A file as it is; of a folder all files with one of the extensions, in the order of their names, without hidden and
 * generated folders. Throws `not_found` / `FILE_UNREADABLE`.
 */
export function filesUnder(path: string, extensions: readonly string[]): string[] {
  let folder: boolean;
  try {
    folder = statSync(path).isDirectory();
  } catch (thrown) {
    const message = `the input ${path} cannot be read: ${wordsOf(thrown)}`;
    throw new HeddleError({ code: 'not_found', reason: 'FILE_UNREADABLE', message, cause: thrown });
  }
  if (!folder) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name.startsWith('.') || passedOver.has(entry.name)) return [];
      const inner = nodePath.join(path, entry.name);
      if (entry.isDirectory()) return filesUnder(inner, extensions);
      return entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)) ? [inner] : [];
    });
}

/** Writes a text that the user wants in a file. Throws `unavailable` / `FILE_UNWRITABLE`. */
export function writeTextFile(path: string, text: string, what: string): void {
  try {
    writeFileSync(path, text);
  } catch (thrown) {
    const message = `the ${what} ${path} cannot be written: ${wordsOf(thrown)}`;
    throw new HeddleError({ code: 'unavailable', reason: 'FILE_UNWRITABLE', message, cause: thrown });
  }
}

/** The latest 20,000 commits of a repository with their files. Throws `not_found` / `NO_GIT_HISTORY`. */
export function gitLog(folder: string, format: string): string {
  const args = ['-C', folder, 'log', '--no-merges', '--name-only', `--format=${format}`, '-n', '20000'];
  try {
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    return execFileSync('git', args, { encoding: 'utf8', maxBuffer: 512 * 1024 * 1024, stdio });
  } catch (thrown) {
    const said = thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr).trim() : '';
    const message = `the git history of ${folder} cannot be read: ${said === '' ? wordsOf(thrown) : said}`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_GIT_HISTORY', message, cause: thrown });
  }
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
