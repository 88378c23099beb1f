import { spawn } from 'node:child_process';
import { HeddleError } from '@heddle/kernel';
import type { Account } from './account.ts';

/** Where and as whom to make a cluster. */
export interface InitialiseOptions {
  readonly initdb: string;
  readonly account: Account | undefined;
  /** An empty folder that belongs to the account. */
  readonly data: string;
  /** Holds the superuser's password; readable by the account. */
  readonly passwordFile: string;
}

/**
 * Runs initdb: superuser `heddle`, SCRAM for every connection, UTF-8 with PostgreSQL's own C.UTF-8 order, which is
 * the same on every machine (a system's collation changes with its C library and breaks indexes). Takes about 1 s.
 * Rejects with `resource_exhausted` / `DISK_FULL`, or `internal` / `INITDB_FAILED` with what it said.
 */
export async function initialiseCluster(options: InitialiseOptions): Promise<void> {
  const { initdb, account, data, passwordFile } = options;
  const args = [
    '-D',
    data,
    '-U',
    'heddle',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
  ];
  args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions');
  const child = spawn(initdb, args, {
    ...account,
    cwd: data,
    env: serverEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const problem = await new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) =>
      resolve(code === 0 ? undefined : `ended with ${signal ?? `code ${code}`}`),
    );
  });
  if (problem === undefined) return;
  // PostgreSQL's own words for ENOSPC, in English by `serverEnv`.
  if (output.includes('No space left on device')) throw diskFull(data);
  const message = `initdb could not make a database in ${data}: ${problem}. It said: ${output.trim()}`;
  throw new HeddleError({ code: 'internal', reason: 'INITDB_FAILED', message, sent: false });
}

function diskFull(data: string): HeddleError {
  const message = `there is no room on the disk for a database in ${data}, which needs about 150 MB at first; make room, or name a folder on another disk`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'DISK_FULL', message, sent: false });
}

/** No PG* variable of the surroundings may point the server elsewhere; messages in English, since some are read. */
export function serverEnv(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TMPDIR, TEMP } = process.env;
  const kept = Object.entries({ PATH, SystemRoot, TMPDIR, TEMP }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}
