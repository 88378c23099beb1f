import { Worker } from 'node:worker_threads';
import type { Runtime } from '@heddle/kernel';
import type { ConfirmedLease, LeaseKeeper } from '../../registry/lease-keeper.ts';
import { type FromLeaseThread, type LeaseThreadData, never, type ToLeaseThread } from './lease-message.ts';

/** How a lease thread is made. */
export interface LeaseThreadOptions {
  readonly runtime: Runtime;
  /** How the thread reaches the backend: the address of a module that exports a `LeaseModule`. */
  readonly module: URL;
  /** For the module's `openLeases`; it is cloned into the thread. */
  readonly options: unknown;
  /**
   * For how long it renews for a main thread that does not answer it. Default 60000: long enough for a large
   * collection or a mistaken loop over much data, short enough that a deadlocked process is not called for ever.
   */
  readonly maxBlockedMs?: number;
}

/**
 * Keeps leases from a thread of its own while the main thread is blocked. The thread starts with the first lease, does
 * not keep the process alive, and ends with it: a killed or stopped process loses its leases in their time. Should the
 * thread fail, it is started again by the next renewal; until then the main thread renews alone, as without it.
 */
export function leaseThread(options: LeaseThreadOptions): LeaseKeeper {
  return new LeaseThread(options);
}

class LeaseThread implements LeaseKeeper {
  readonly #runtime: Runtime;
  readonly #data: LeaseThreadData;
  /** By lease: what the thread writes its confirmations to. */
  readonly #cells = new Map<string, BigInt64Array<SharedArrayBuffer>>();
  /** By service and id: the lease that is kept. */
  readonly #leases = new Map<string, string>();
  #worker: Worker | undefined;
  #closed = false;

  constructor({ runtime, module, options, maxBlockedMs = 60_000 }: LeaseThreadOptions) {
    this.#runtime = runtime;
    this.#data = { module: module.href, options, maxBlockedMs };
  }

  keep(lease: ConfirmedLease): void {
    if (this.#closed) return;
    this.#leases.set(`${lease.service}/${lease.id}`, lease.lease);
    const cell = this.#cellOf(lease.lease);
    this.#post({ kind: 'keep', lease, cell: cell.buffer, nowMs: this.#runtime.clock.nowMs() });
  }

  drop(service: string, id: string): void {
    const key = `${service}/${id}`;
    const lease = this.#leases.get(key);
    if (lease === undefined) return;
    this.#leases.delete(key);
    this.#cells.delete(lease);
    if (this.#worker !== undefined) this.#post({ kind: 'drop', service, id });
  }

  confirmedAtMs(lease: string): number {
    const cell = this.#cells.get(lease);
    const written = cell === undefined ? never : Atomics.load(cell, 0);
    return written === never ? Number.NEGATIVE_INFINITY : Number(written);
  }

  close(): void {
    this.#closed = true;
    this.#leases.clear();
    this.#cells.clear();
    void this.#worker?.terminate();
    this.#worker = undefined;
  }

  #cellOf(lease: string): BigInt64Array<SharedArrayBuffer> {
    let cell = this.#cells.get(lease);
    if (cell === undefined) {
      cell = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
      Atomics.store(cell, 0, never);
      this.#cells.set(lease, cell);
    }
    return cell;
  }

  #post(message: ToLeaseThread): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(asBuilt(new URL('./lease-worker.ts', import.meta.url)), {
      workerData: this.#data,
      name: 'leases',
    });
    worker.unref();
    worker.on('message', (message: FromLeaseThread) => this.#receive(message));
    worker.on('error', (error) => {
      this.#runtime.log('error', 'the thread that keeps leases has failed; it is started again', { error });
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }

  #receive(message: FromLeaseThread): void {
    if (this.#closed) return;
    if (message.kind === 'ping') this.#post({ kind: 'alive', nowMs: this.#runtime.clock.nowMs() });
    else this.#runtime.log(message.level, message.message, message.fields);
  }
}

/** Where a source of this package lies when it runs: the sources run as they are, and what is published was compiled. */
export function asBuilt(source: URL): URL {
  return import.meta.url.endsWith('.ts') ? source : new URL(source.href.replace(/\.ts$/, '.js'));
}
