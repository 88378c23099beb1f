import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cleanDiskPath } from '../disk-path.ts';
import { type Code, HeddleError } from '../error.ts';
import type { AppendFile, Disk } from '../ports/disk.ts';
import { plainBytes } from './plain-bytes.ts';

// What a replacement is written to first. Hidden, and never listed: a crash may leave one behind.
const temporaryName = /^\..*\.new$/;

/** Files under `root`, which is made on first use, readable by this user only. */
export function nodeDisk(root: string): Disk {
  const locate = (path: string): string => join(root, cleanDiskPath(path));
  const replacing = new Map<string, Promise<void>>();
  /** One after another for each path, since they share a temporary file. */
  const replace = (path: string, bytes: Uint8Array): Promise<void> => {
    const turn = (replacing.get(path) ?? Promise.resolve()).then(() => replaceFile(path, bytes));
    const settled = turn.catch(() => {});
    replacing.set(path, settled);
    void settled.then(() => {
      if (replacing.get(path) === settled) replacing.delete(path);
    });
    return turn;
  };
  return {
    read: (path) => guarded(path, () => readIfThere(locate(path))),
    replace: (path, bytes) => guarded(path, () => replace(locate(path), bytes)),
    open: (path) => guarded(path, () => openAppend(locate(path))),
    list: (folder) => guarded(folder, () => listFiles(locate(folder))),
    remove: (path) => guarded(path, () => removeFile(locate(path))),
  };
}

const codeOf: Record<string, [Code, string]> = {
  ENOENT: ['not_found', 'NO_SUCH_FILE'],
  EACCES: ['permission_denied', 'FILE_DENIED'],
  EPERM: ['permission_denied', 'FILE_DENIED'],
  EROFS: ['permission_denied', 'READ_ONLY_DISK'],
  ENOSPC: ['resource_exhausted', 'DISK_FULL'],
  EDQUOT: ['resource_exhausted', 'DISK_FULL'],
  EMFILE: ['resource_exhausted', 'TOO_MANY_OPEN_FILES'],
};

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof HeddleError) throw thrown;
    const errno = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    const [code, reason] = codeOf[errno] ?? ['internal', 'DISK_FAILED'];
    const message = `file ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    throw new HeddleError({ code, reason, message, cause: thrown });
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return plainBytes(await readFile(path));
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  await makeFolder(dirname(path));
  try {
    await writeSynced(temporary, bytes);
    await rename(temporary, path);
  } catch (thrown) {
    // On a full disk it would keep the space that is missing.
    await rm(temporary, { force: true }).catch(() => {});
    throw thrown;
  }
  await syncFolder(dirname(path));
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** With those above it, each durable in the one that it is in. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function openAppend(path: string): Promise<AppendFile> {
  await makeFolder(dirname(path));
  // Not O_APPEND: `truncate` then leaves the next write in the right place on every system.
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    await syncFolder(dirname(path));
    const { size } = await file.stat();
    return new NodeAppendFile(path, file, size);
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

class NodeAppendFile implements AppendFile {
  readonly #path: string;
  readonly #file: FileHandle;
  #size: number;

  constructor(path: string, file: FileHandle, size: number) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): Promise<void> {
    return guarded(this.#path, async () => {
      let written = 0;
      while (written < bytes.byteLength) {
        const rest = bytes.byteLength - written;
        const { bytesWritten } = await this.#file.write(bytes, written, rest, this.#size + written);
        written += bytesWritten;
      }
      this.#size += written;
    });
  }

  sync(): Promise<void> {
    return guarded(this.#path, () => this.#file.datasync());
  }

  truncate(size: number): Promise<void> {
    return guarded(this.#path, async () => {
      await this.#file.truncate(size);
      this.#size = size;
    });
  }

  close(): Promise<void> {
    return guarded(this.#path, () => this.#file.close());
  }
}

async function listFiles(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files
      .map(({ name }) => name)
      .filter((name) => !temporaryName.test(name))
      .toSorted();
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path)).catch((thrown: unknown) => {
    if (!isMissing(thrown)) throw thrown;
  });
}

/** A new name in a folder is durable only when the folder itself is (POSIX fsync, rationale). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
