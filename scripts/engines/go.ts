// Programs that are built with Go, where Go is.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { cached, fillCache } from './cache.ts';
import { lastWords, run, which } from './command.ts';
import type { Found, Missing } from './engine.ts';

const buildLimitMs = 300_000;

/** One or more programs that one run of Go builds. */
export interface GoBuild {
  /** The folder in the cache; names all that the result depends on. */
  readonly key: string;
  /** What is reported as version. */
  readonly version: string;
  /** The program that is wanted. */
  readonly program: string;
  /** Arguments of `go` for each of its runs; `folder` is where programs go. */
  readonly commands: (folder: string) => readonly (readonly string[])[];
  readonly cwd?: string;
  /** How long all of it may take. Default five minutes. */
  readonly limitMs?: number;
}

/** Looks in the cache only: a program of the same name elsewhere may be another version. */
export async function findBuilt(build: GoBuild): Promise<Found | Missing> {
  const file = path.join(cached(build.key), build.program);
  return existsSync(file)
    ? { path: file, version: build.version }
    : { missing: `${build.program} ${build.version} has not been built yet` };
}

/** Builds into the cache. */
export async function buildWithGo(build: GoBuild): Promise<Found | Missing> {
  const go = which('go', ['/usr/local/go/bin', '/usr/lib/go/bin', path.join(homedir(), 'go/bin')]);
  if (go === undefined) return { missing: `${build.program} is built with Go, and this machine has no Go` };
  try {
    await fillCache(build.key, async (folder) => {
      for (const args of build.commands(folder)) {
        const done = await run(go, args, {
          timeoutMs: build.limitMs ?? buildLimitMs,
          ...(build.cwd !== undefined && { cwd: build.cwd }),
          env: { GOBIN: folder, GOFLAGS: '-buildvcs=false', CGO_ENABLED: '0' },
        });
        if (done.code !== 0) throw new Error(`go ${args.join(' ')}: ${lastWords(done.output)}`);
      }
    });
  } catch (error) {
    return { missing: (error as Error).message };
  }
  return findBuilt(build);
}
