import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** The setting by which a server tells who started it; PostgreSQL keeps it in `postmaster.opts`. */
export const ownerSetting = 'heddle.owner_pid';

/** What `postmaster.pid` says: the process that serves a data folder, or did when it died. */
export interface PostmasterFile {
  readonly pid: number;
  /** True from when it accepts connections until it starts to stop. */
  readonly ready: boolean;
}

/** Reads `postmaster.pid`; undefined when there is none or it is not written out yet. */
export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const text = await readText(join(data, 'postmaster.pid'));
  if (text === undefined) return undefined;
  // src/include/utils/pidfile.h: line 1 is the process id, line 8 the status. `pg_ctl` waits by it too.
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
}

/** Who serves a data folder at this moment. */
export interface RunningPostmaster {
  readonly pid: number;
  /** The process that started it, if that still lives. Undefined: an orphan. */
  readonly ownerPid: number | undefined;
}

/**
 * The live server of a data folder. A `postmaster.pid` whose process is gone, or whose number now belongs to a
 * process of another kind, is removed: PostgreSQL looks at the number alone, and in a container the same small
 * numbers come back after every restart.
 */
export async function runningPostmaster(data: string): Promise<RunningPostmaster | undefined> {
  const file = await readPostmasterFile(data);
  if (file === undefined) return undefined;
  if (isAlive(file.pid) && (await servesFolder(file.pid, data))) {
    return { pid: file.pid, ownerPid: await livingOwner(file.pid, data) };
  }
  await rm(join(data, 'postmaster.pid'), { force: true });
  return undefined;
}

/** True when a process of that number exists, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** Where the system has no /proc, a living process of that number is believed. */
async function servesFolder(pid: number, data: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  try {
    // A server's working folder is its data folder.
    const [cwd, exe] = await Promise.all([readlink(`/proc/${pid}/cwd`), readlink(`/proc/${pid}/exe`)]);
    return cwd === (await realpath(data)) && basename(exe).startsWith('postgres');
  } catch {
    return false;
  }
}

async function livingOwner(pid: number, data: string): Promise<number | undefined> {
  const options = await readText(join(data, 'postmaster.opts'));
  const owner = Number(new RegExp(`${ownerSetting}=(\\d+)`).exec(options ?? '')?.[1]);
  if (!Number.isInteger(owner) || !isAlive(owner)) return undefined;
  const parent = await parentOf(pid);
  return parent === undefined || parent === owner ? owner : undefined;
}

/** From /proc/<pid>/stat; the name in parentheses may itself hold spaces and parentheses. */
async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[1] === undefined ? undefined : Number(fields[1]);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
