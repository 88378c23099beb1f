import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';

const lockName = 'up.lock';

// Root's PostgreSQL runs as `nobody`, who must be able to pass through. Passing shows nothing: no list of the folder, and
// all that lies in it is for its owner only.
const folderMode = process.geteuid?.() === 0 ? 0o711 : 0o700;

/** A data folder that is ours until `release`. */
export interface ClaimedFolder {
  readonly path: string;
  release(): void;
}

/**
 * Makes the folder if it is missing and claims it for this process, so that no two run on the same data. Rejects with
 * `permission_denied` / `DATA_FOLDER_DENIED`, or `failed_precondition` / `DATA_FOLDER_IN_USE` with the other's pid.
 * The claim of a process that has died, however it did, does not count.
 */
export function claimFolder(folder: string): ClaimedFolder {
  const absolute = path.resolve(folder);
  const lock = path.join(absolute, lockName);
  try {
    mkdirSync(absolute, { recursive: true, mode: folderMode });
    takeLock(lock, absolute);
  } catch (thrown) {
    if (thrown instanceof HeddleError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw denied(absolute, why, thrown);
  }
  return { path: absolute, release: () => rmSync(lock, { force: true }) };
}

function takeLock(lock: string, folder: string): void {
  for (;;) {
    try {
      const file = openSync(lock, 'wx', 0o600);
      writeSync(file, JSON.stringify({ pid: process.pid, born: bornAt(process.pid) }));
      closeSync(file);
      return;
    } catch (thrown) {
      if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code !== 'EEXIST') throw thrown;
    }
    const holder = readLock(lock);
    if (holder !== undefined && isAlive(holder)) throw inUse(folder, holder.pid);
    rmSync(lock, { force: true });
  }
}

interface Holder {
  readonly pid: number;
  readonly born: string | undefined;
}

function readLock(lock: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(lock, 'utf8')) as Partial<Holder>;
    return typeof holder.pid === 'number' ? { pid: holder.pid, born: holder.born } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, born }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    // EPERM: it lives, but is another user's.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
  return born === undefined || born === bornAt(pid);
}

/** A mark that tells a process from a later one with the same number; undefined where the system has none. */
function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): field 22 is the start time; the name in field 2 may hold anything, so count from its ")".
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function inUse(folder: string, pid: number): HeddleError {
  const message =
    `another heddle up (process ${pid}) is running on the data folder ${folder}. ` +
    'Stop it with Ctrl-C there, or choose another folder with --data DIR.';
  return new HeddleError({ code: 'failed_precondition', reason: 'DATA_FOLDER_IN_USE', message });
}

function denied(folder: string, why: string, cause: unknown): HeddleError {
  const message =
    `the data folder ${folder} cannot be written: ${why}. ` +
    'Give this user write access to it, or choose another folder with --data DIR.';
  return new HeddleError({ code: 'permission_denied', reason: 'DATA_FOLDER_DENIED', message, cause });
}

/** What `up` makes in its folder; nothing else is ever deleted, whatever folder is named. */
const made = ['postgres', 'control-plane', 'gateway', 'shop', 'logs', 'up.json'];

/** Whether a folder has anything in it that `up` has made. */
export function holdsUp(folder: string): boolean {
  return made.some((name) => existsSync(path.join(folder, name)));
}

/** Deletes what `up` has made in a folder. */
export function emptyFolder(folder: ClaimedFolder): void {
  for (const name of made) rmSync(path.join(folder.path, name), { recursive: true, force: true });
}

/** Deletes the folder too, if nothing is left in it. To be called after its release. */
export function removeIfEmpty(folder: ClaimedFolder): void {
  if (readdirSync(folder.path).length === 0) rmdirSync(folder.path);
}

/** What a running `up` leaves in its data folder, for this user's other commands only. */
export interface UpState {
  readonly pid: number;
  /** URLs. */
  readonly console: string;
  readonly gateway: string;
  /** Of the registry. */
  readonly token: string;
  /** Of the shop's admin endpoints. */
  readonly adminToken: string;
  /** The folder. */
  readonly logs: string;
}

const stateName = 'up.json';

/** Writes the state, readable by this user only. */
export function writeUpState(folder: string, state: UpState): void {
  writeFileSync(path.join(folder, stateName), `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
}

/** Reads what the `up` on this folder has left. Throws `failed_precondition` / `NOT_UP` if none is running. */
export function readUpState(folder: string): UpState {
  const absolute = path.resolve(folder);
  const holder = readLock(path.join(absolute, lockName));
  if (holder !== undefined && isAlive(holder)) {
    try {
      return JSON.parse(readFileSync(path.join(absolute, stateName), 'utf8')) as UpState;
    } catch {
      // Written at the end of the start: until then there is nothing to be asked.
    }
  }
  const message = `no heddle up is ready on the data folder ${absolute}. Start one with "heddle up", or name its folder with --data DIR.`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'NOT_UP', message });
}
