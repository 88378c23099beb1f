import { access, constants, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HeddleError } from '@heddle/kernel';
import type { Account } from './account.ts';

/**
 * True when `account` may pass through every folder on the way to `path`, which must exist. Undefined stands for
 * ourselves, who got here. Reads the mode bits only: where an access list grants more, the answer is a safe no.
 */
export async function canReach(account: Account | undefined, path: string): Promise<boolean> {
  if (account === undefined) return true;
  for (let at = await realpath(path); ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    if (((mode >> shift) & 1) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** Makes `folder` if it is missing and proves that we may write into it, or says in a sentence why not. */
export async function requireWritableFolder(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const message =
      `the folder of the embedded PostgreSQL must be one that this user can make and write: ${folder} is not (${found}); ` +
      'change its owner or name another folder';
    throw new HeddleError({
      code: 'permission_denied',
      reason: 'DATA_FOLDER_DENIED',
      message,
      cause,
      sent: false,
    });
  }
}
