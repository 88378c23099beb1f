// Packages of the npm registry that are for measuring beside alone, and too large for everybody's `node_modules`.
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached, fillCache } from './cache.ts';
import { lastWords, run } from './command.ts';
import type { Missing } from './engine.ts';

const installMs = 300_000;

/** Packages with their exact versions, in a folder of the cache that they have for themselves. */
export interface NpmPackages {
  /** Of the folder; changes with the versions. */
  readonly key: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Their `node_modules`, if they are in the cache. */
export function findNpm({ key }: NpmPackages): string | undefined {
  const found = path.join(cached(`npm/${key}`), 'node_modules');
  return existsSync(found) ? found : undefined;
}

/** Puts them there, with what they need. None of their scripts is run. */
export async function installNpm({ key, versions }: NpmPackages): Promise<string | Missing> {
  try {
    const folder = await fillCache(`npm/${key}`, async (draft) => {
      writeFileSync(
        path.join(draft, 'package.json'),
        JSON.stringify({ private: true, dependencies: versions }),
      );
      const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      const ended = await run('npm', args, { cwd: draft, timeoutMs: installMs });
      if (ended.code !== 0) throw new Error(lastWords(ended.output));
    });
    return path.join(folder, 'node_modules');
  } catch (error) {
    return { missing: `${key} cannot be had: ${(error as Error).message}` };
  }
}
