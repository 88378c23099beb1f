import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HeddleError, type Random, type Runtime } from '@heddle/kernel';
import { type Account, serverAccount } from './account.ts';
import { initialiseCluster } from './initdb.ts';
import { isErrno, nativePrograms, type Programs } from './native.ts';
import { runningPostmaster } from './postmaster-file.ts';
import { canReach, requireWritableFolder } from './reach.ts';

/** Where root's servers live when the folder that was asked for is out of the reach of an unprivileged account. */
const systemFolder = '/var/lib/heddle';

/** A data folder that is ready to be served. */
export interface ServerFolder {
  readonly account: Account | undefined;
  readonly programs: Programs;
  /** PostgreSQL's own data directory. */
  readonly data: string;
  /** Of the superuser `heddle`. */
  readonly password: string;
}

/**
 * Makes `folder/server/{data,password}` at the first call; finds it at later ones. It appears at once and complete
 * (built under another name, then renamed), so two callers at the same time agree on one, and a crash leaves no half.
 * When we are root and others may not pass through to `folder`, `folder/server` is a link into /var/lib/heddle.
 */
export async function serverFolder(asked: string, runtime: Runtime): Promise<ServerFolder> {
  const folder = resolve(asked);
  const place = join(folder, 'server');
  const newcomer = serverAccount();
  await requireWritableFolder(folder, newcomer === undefined ? 0o700 : 0o711);
  const home = (await canReach(newcomer, folder)) ? folder : await systemHome();
  const programs = await nativePrograms(
    newcomer,
    newcomer === undefined ? folder : await systemHome(),
    runtime.random,
  );
  if (!(await isLinkOrFolder(place))) await build(home, folder, newcomer, programs, runtime);
  const account = await ownerOf(place, newcomer);
  const password = await readFile(join(place, 'password'), 'utf8');
  return { account, programs, data: join(await realpath(place), 'data'), password };
}

/**
 * Deletes the database of a folder, also where it lies in the system folder; nothing happens if there is none. Rejects
 * with `failed_precondition` / `DATABASE_IN_USE` while a server runs on it.
 */
export async function removeEmbeddedPostgres(folder: string): Promise<void> {
  const place = join(resolve(folder), 'server');
  const real = await realpath(place).catch(() => undefined);
  if (real !== undefined) {
    const running = await runningPostmaster(join(real, 'data'));
    if (running !== undefined) throw stillServed(real, running.pid);
    await rm(real, { recursive: true, force: true });
  }
  await rm(place, { recursive: true, force: true });
}

function stillServed(place: string, pid: number): HeddleError {
  const message = `the database in ${place} is served by process ${pid}; stop it before it is deleted`;
  return new HeddleError({ code: 'failed_precondition', reason: 'DATABASE_IN_USE', message, sent: false });
}

async function systemHome(): Promise<string> {
  await requireWritableFolder(systemFolder, 0o755);
  // Whatever the umask says: the account must get through.
  await chmod(systemFolder, 0o755);
  return systemFolder;
}

async function isLinkOrFolder(place: string): Promise<boolean> {
  try {
    await stat(place);
    return true;
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw denied(place, cause);
  }
  const target = await readlink(place).catch(() => undefined);
  if (target === undefined) return false;
  const message = `${place} leads to ${target}, where the database was, but that is gone; restore it, or remove the link to start empty`;
  throw new HeddleError({ code: 'data_loss', reason: 'DATA_FOLDER_GONE', message, sent: false });
}

async function build(
  home: string,
  folder: string,
  account: Account | undefined,
  programs: Programs,
  runtime: Runtime,
): Promise<void> {
  const place = join(folder, 'server');
  const fresh = await mkdtemp(join(home, 'postgres-'));
  try {
    await initialise(fresh, account, programs, runtime.random);
    if (home === folder) await rename(fresh, place);
    else {
      await symlink(fresh, place);
      const why = 'the folder asked for is closed to the unprivileged account that PostgreSQL runs as';
      runtime.log('info', 'the database lies in a system folder', { asked: place, found: fresh, why });
    }
  } catch (thrown) {
    await rm(fresh, { recursive: true, force: true });
    // Another starter was faster: its server is complete, and ours was never seen.
    if (!isErrno(thrown, 'EEXIST') && !isErrno(thrown, 'ENOTEMPTY')) throw thrown;
  }
}

async function initialise(
  fresh: string,
  account: Account | undefined,
  programs: Programs,
  random: Random,
): Promise<void> {
  const passwordFile = join(fresh, 'password');
  const data = join(fresh, 'data');
  await writeFile(passwordFile, Buffer.from(random.bytes(24)).toString('base64url'), {
    mode: 0o600,
    flag: 'wx',
  });
  await mkdir(data, { mode: 0o700 });
  if (account !== undefined) {
    for (const path of [data, passwordFile, fresh]) await chown(path, account.uid, account.gid);
  }
  await initialiseCluster({ initdb: programs.initdb, account, data, passwordFile });
}

/** PostgreSQL runs as the owner of its data; that must be us, or anybody but root when we are root. */
async function ownerOf(place: string, newcomer: Account | undefined): Promise<Account | undefined> {
  const data = join(place, 'data');
  const { uid, gid } = await stat(data).catch((cause: unknown) => {
    throw denied(place, cause);
  });
  if (newcomer === undefined) {
    if (process.geteuid === undefined || uid === process.geteuid()) return undefined;
    throw denied(place, new Error(`its owner is user ${uid}, we are user ${process.geteuid()}`));
  }
  const owner = { uid, gid };
  if (uid !== 0 && (await canReach(owner, data))) return owner;
  throw denied(place, new Error(`user ${uid}, who owns it, cannot run PostgreSQL there`));
}

function denied(place: string, cause: unknown): HeddleError {
  const found = cause instanceof Error ? cause.message : String(cause);
  const message =
    `the embedded PostgreSQL's data in ${place} belongs to another user or cannot be read (${found}); ` +
    'start as the user that made it, or name another folder';
  return new HeddleError({
    code: 'permission_denied',
    reason: 'DATA_FOLDER_DENIED',
    message,
    cause,
    sent: false,
  });
}
