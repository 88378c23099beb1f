import { cleanDiskPath } from '../../disk-path.ts';
import { HeddleError } from '../../error.ts';
import type { AppendFile, Disk } from '../../ports/disk.ts';
import type { Random } from '../../ports/random.ts';
import type { Death, SimulatedProcess } from '../process.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { StoredFile } from './stored-file.ts';

/** What a disk can be asked for. */
export type DiskOperation = 'read' | 'replace' | 'open' | 'append' | 'sync' | 'truncate' | 'list' | 'remove';

/** What a disk is made from. */
export interface SimulatedDiskOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  /** Told when an operation begins. It may end the process that asked: that operation is then half done. */
  readonly observe?: (operation: DiskOperation, path: string) => void;
}

/** Does what a process that dies now leaves of its operation. */
type Interrupt = () => void;

/** Appends are not worth more precision; a sync waits for the medium. */
const slowness: Record<DiskOperation, number> = {
  read: 1,
  open: 2,
  append: 1,
  sync: 4,
  truncate: 1,
  replace: 8,
  list: 1,
  remove: 4,
};

/**
 * A disk that outlives processes. `mount` gives one its `Disk`, to the contract of the port. When power goes, what was
 * not synced is lost, kept or torn, under the seed; a process that is only killed loses what it was just doing.
 */
export class SimulatedDisk {
  /** How much it holds; more is refused as `resource_exhausted`. Default unlimited. May be changed at any time. */
  capacityBytes: number = Number.POSITIVE_INFINITY;
  /** How long a small operation takes; a sync takes some of them. Default 0.05. May be changed at any time. */
  operationMs = 0.05;
  readonly #options: SimulatedDiskOptions;
  readonly #files = new Map<string, StoredFile>();
  readonly #running = new Set<Interrupt>();

  constructor(options: SimulatedDiskOptions) {
    this.#options = options;
  }

  /** All bytes on it. */
  get usedBytes(): number {
    let used = 0;
    for (const file of this.#files.values()) used += file.size;
    return used;
  }

  /** The disk as `process` sees it. One process at a time. */
  mount(process: SimulatedProcess): Disk {
    process.onDeath((death) => this.#crash(death));
    return {
      read: (path) => this.#perform(process, 'read', path, (name) => this.#read(name)),
      replace: (path, bytes) => this.#replace(process, path, bytes.slice()),
      open: (path) => this.#perform(process, 'open', path, (name) => this.#open(process, name)),
      list: (folder) => this.#perform(process, 'list', folder, (name) => this.#list(name)),
      remove: (path) => this.#perform(process, 'remove', path, (name) => this.#remove(name)),
    };
  }

  /**
   * Runs `effect` when the disk has got to it, and then lets the process know. If the process dies before that,
   * `interrupted` does what has been done by then: by default all or nothing, as chance will have it.
   */
  #perform<T>(
    process: SimulatedProcess,
    operation: DiskOperation,
    path: string,
    effect: (name: string) => T,
    interrupted?: (name: string) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const { random, time, observe } = this.#options;
      const name = cleanDiskPath(path);
      const interrupt = (): void => {
        if (interrupted !== undefined) interrupted(name);
        else if (random.float() < 0.5) attempt(() => effect(name), ignore, ignore);
      };
      if (!process.alive) return;
      this.#running.add(interrupt);
      observe?.(operation, name);
      const delayMs = this.operationMs * slowness[operation] * (0.5 + random.float());
      time.timers.after(delayMs, () => {
        if (!this.#running.delete(interrupt)) return;
        attempt(
          () => effect(name),
          (value) => process.enter(() => resolve(value)),
          (error) => process.enter(() => reject(error)),
        );
      });
    });
  }

  #crash(death: Death): void {
    const running = [...this.#running];
    this.#running.clear();
    for (const interrupt of running) interrupt();
    if (death === 'power') for (const file of this.#files.values()) file.crash(this.#options.random);
  }

  #read(name: string): Uint8Array | undefined {
    this.#refuseFolder(name);
    return this.#files.get(name)?.read();
  }

  #replace(process: SimulatedProcess, path: string, bytes: Uint8Array): Promise<void> {
    return this.#perform(process, 'replace', path, (name) => {
      this.#refuseFolder(name);
      // The old one is there until the new one is: both must fit.
      this.#reserve(name, bytes.byteLength);
      this.#files.set(name, new StoredFile(bytes));
    });
  }

  #open(process: SimulatedProcess, name: string): AppendFile {
    this.#refuseFolder(name);
    const file = this.#files.get(name) ?? new StoredFile(new Uint8Array(0));
    this.#files.set(name, file);
    let { size } = file;
    let closed = false;
    const perform = (
      operation: DiskOperation,
      effect: () => void,
      interrupted?: () => void,
    ): Promise<void> => {
      if (closed) return Promise.reject(failure('internal', 'DISK_FAILED', name, 'the file is closed'));
      return this.#perform(process, operation, name, effect, interrupted);
    };
    return {
      get size(): number {
        return size;
      },
      append: (bytes) => {
        const own = bytes.slice();
        const write = (): void => {
          this.#write(name, file, size, own);
          size += own.byteLength;
        };
        const writePart = (): void => {
          file.write(size, own.subarray(0, this.#options.random.uint32() % (own.byteLength + 1)));
        };
        return perform('append', write, writePart);
      },
      sync: () => perform('sync', () => file.sync()),
      truncate: (to) =>
        perform('truncate', () => {
          file.truncate(to);
          size = to;
        }),
      close: () => {
        const done = perform('sync', ignore, ignore);
        closed = true;
        return done;
      },
    };
  }

  /** What fits is written, as a real one does it; the writer's idea of the size stays. */
  #write(name: string, file: StoredFile, at: number, bytes: Uint8Array): void {
    const room = this.capacityBytes - this.usedBytes + (file.size - at);
    if (bytes.byteLength <= room) {
      file.write(at, bytes);
      return;
    }
    if (room > 0) file.write(at, bytes.subarray(0, room));
    throw this.#full(name);
  }

  #reserve(name: string, bytes: number): void {
    if (this.usedBytes + bytes > this.capacityBytes) throw this.#full(name);
  }

  #full(name: string): HeddleError {
    return failure('resource_exhausted', 'DISK_FULL', name, `the disk holds ${this.capacityBytes} bytes`);
  }

  #list(name: string): readonly string[] {
    const prefix = name === '' ? '' : `${name}/`;
    const names: string[] = [];
    for (const path of this.#files.keys()) {
      const rest = path.slice(prefix.length);
      if (path.startsWith(prefix) && !rest.includes('/')) names.push(rest);
    }
    return names.toSorted();
  }

  #remove(name: string): void {
    this.#refuseFolder(name);
    this.#files.delete(name);
  }

  #refuseFolder(name: string): void {
    const isFolder = name === '' || [...this.#files.keys()].some((path) => path.startsWith(`${name}/`));
    if (isFolder) throw failure('internal', 'DISK_FAILED', name, 'this is a folder');
  }
}

function ignore(): void {}

function attempt<T>(effect: () => T, done: (value: T) => void, failed: (error: HeddleError) => void): void {
  let value: T;
  try {
    value = effect();
  } catch (thrown) {
    failed(HeddleError.from(thrown));
    return;
  }
  done(value);
}

function failure(code: HeddleError['code'], reason: string, name: string, text: string): HeddleError {
  return new HeddleError({ code, reason, message: `file ${name}: ${text}` });
}
