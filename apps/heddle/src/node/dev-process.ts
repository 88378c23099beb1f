// The process of `heddle dev`, and its source files.
import { spawn } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { HeddleError } from '@heddle/kernel';
import type { DevProcess } from '../dev/dev-loop.ts';
import { describeEnd, type Ended } from '../up/program.ts';
import { ownFile } from './places.ts';

const preload: string = pathToFileURL(ownFile('follow-parent.ts', import.meta.url)).href;
const drainMs = 20_000;

/**
 * Starts a file with this Node; it writes to our terminal. In a process group of its own, so that Ctrl-C reaches us alone and it
 * drains once; it ends when we do.
 */
export function startDevProcess(file: string, env: Readonly<Record<string, string>>): DevProcess {
  const conditions = hasSources(file) ? ['--conditions=@heddle/source'] : [];
  const child = spawn(process.execPath, [...conditions, `--import=${preload}`, file], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = new Promise<Ended>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  return {
    ended: gone.then(describeEnd),
    stop: async () => {
      const limit = setTimeout(() => child.kill('SIGKILL'), drainMs);
      child.kill('SIGTERM');
      await gone;
      clearTimeout(limit);
    },
  };
}

/** Whether the packages that a file would import are Heddle's sources, as in its repository, and not what is published. */
function hasSources(file: string): boolean {
  for (let folder = path.dirname(path.resolve(file)); ; folder = path.dirname(folder)) {
    const kernel = path.join(folder, 'node_modules/@heddle/kernel');
    if (existsSync(kernel)) return existsSync(path.join(kernel, 'src/index.ts'));
    if (folder === path.dirname(folder)) return false;
  }
}

/** Calls back with the name of each file that changes in a folder, or in those in it. Gives what ends that. */
export function watchFolder(folder: string, changed: (file: string) => void): () => void {
  const watcher = watch(folder, { recursive: true }, (_event, file) => changed(file ?? folder));
  return () => watcher.close();
}

/** Throws `not_found` / `FILE_MISSING` unless the file is there. */
export function requireFile(file: string): void {
  if (existsSync(file)) return;
  const message = `there is no ${path.resolve(file)}. Name the file that starts the service: heddle dev src/main.ts`;
  throw new HeddleError({ code: 'not_found', reason: 'FILE_MISSING', message });
}
