import { type AppendFile, type Disk, HeddleError } from '@heddle/kernel';

/** A disk in memory, whose files a test can read and damage. */
export interface MemoryDisk extends Disk {
  readonly files: Map<string, Uint8Array>;
  /** While set, every write fails with it. */
  failure: HeddleError | undefined;
}

/** A disk that keeps what it is given, at once. */
export function memoryDisk(): MemoryDisk {
  const files = new Map<string, Uint8Array>();
  const write = (path: string, bytes: Uint8Array): void => {
    if (disk.failure !== undefined) throw disk.failure;
    files.set(path, bytes.slice());
  };
  const disk: MemoryDisk = {
    files,
    failure: undefined,
    read: async (path) => files.get(path)?.slice(),
    replace: async (path, bytes) => write(path, bytes),
    open: async (path) => {
      if (!files.has(path)) write(path, new Uint8Array(0));
      return appendFile(path, files, write);
    },
    list: async (folder) => {
      const inside = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
      return inside
        .map((path) => path.slice(folder.length + 1))
        .filter((name) => !name.includes('/'))
        .toSorted();
    },
    remove: async (path) => {
      files.delete(path);
    },
  };
  return disk;
}

function appendFile(
  path: string,
  files: Map<string, Uint8Array>,
  write: (path: string, bytes: Uint8Array) => void,
): AppendFile {
  const content = (): Uint8Array => files.get(path) ?? new Uint8Array(0);
  return {
    get size() {
      return content().byteLength;
    },
    append: async (bytes) => write(path, Uint8Array.from([...content(), ...bytes])),
    sync: async () => {},
    truncate: async (size) => write(path, content().slice(0, size)),
    close: async () => {},
  };
}

/** The failure of a disk without room. */
export function diskFull(): HeddleError {
  return new HeddleError({
    code: 'resource_exhausted',
    reason: 'DISK_FULL',
    message: 'no space left on device',
  });
}
