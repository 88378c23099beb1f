import { readFileSync, rmSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';

/** A folder that only this process may use. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes a folder for this process, so that two registries never write one journal. Rejects with `failed_precondition` /
 * `REGISTRY_IN_USE`, which names the process that has it. What a killed process left behind is taken over: a process id
 * counts only with the moment at which that process began, so that a reused one is told apart.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const file = path.join(folder, 'in-use');
  const own = `${process.pid} ${startOf(process.pid)}`;
  await mkdir(folder, { recursive: true });
  for (let tried = 1; ; tried++) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(own);
      await handle.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw HeddleError.from(error);
      const holder = await readFile(file, 'utf8').catch(() => '');
      const pid = Number(holder.split(' ')[0]);
      if (tried > 3 || isHeld(holder, pid)) throw inUse(folder, pid);
      await rm(file, { force: true });
    }
  }
  const clean = (): void => rmSync(file, { force: true });
  process.once('exit', clean);
  return {
    release: async () => {
      process.removeListener('exit', clean);
      await rm(file, { force: true });
    },
  };
}

function isHeld(holder: string, pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user is there too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return holder === `${pid} ${startOf(pid)}`;
}

/** When a process began, in the kernel's ticks; empty where that cannot be known. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20] ?? '';
  } catch {
    return '';
  }
}

function inUse(folder: string, pid: number): HeddleError {
  const message = `the registry in "${folder}" is in use by the process ${pid}; stop that, or give this one a folder of its own`;
  return new HeddleError({ code: 'failed_precondition', reason: 'REGISTRY_IN_USE', message, sent: false });
}
