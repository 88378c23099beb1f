import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Claim } from '../engine.ts';
import { CommitPrefix } from '../group/commit-prefix.ts';
import type { Delivery } from '../message/message.ts';
import { OneShot } from '../one-shot.ts';
import type { Holding, LogStore, MemberId, Stored } from './log-store.ts';

/** What a claim is made from. */
export interface LeasedClaimOptions {
  readonly runtime: Runtime;
  readonly store: LogStore;
  readonly id: MemberId;
  readonly holding: Holding;
  /** How often to look although nobody has said that there is something new. */
  readonly pollMs: number;
}

/** A partition of a log, held by lease: reads ahead from where the group is, and commits the prefix that is done. */
export class LeasedClaim implements Claim {
  readonly partition: number;
  readonly epoch: number;
  readonly over: OneShot = new OneShot();
  readonly lost: OneShot = new OneShot();
  readonly #options: LeasedClaimOptions;
  readonly #prefix: CommitPrefix;
  #position: number;
  /** Attempts that the first message has behind it: its consumer has died that often. */
  #suspicion: number;
  #released = false;
  /** Acknowledgements must hold whatever happens: what they are for has not been handled yet, and never comes again. */
  #atMostOnce = false;
  #wake: (() => void) | undefined;
  /** The last read has reached the end: resolves when there may be more. */
  #end: Promise<void> | undefined;
  #committing: Promise<void> | undefined;
  #committed: number;

  constructor(options: LeasedClaimOptions) {
    const { partition, epoch, next, abandoned } = options.holding;
    this.#options = options;
    this.partition = partition;
    this.epoch = epoch;
    this.#position = next;
    this.#committed = next;
    this.#suspicion = abandoned;
    this.#prefix = new CommitPrefix(next);
  }

  /** True once the work on it has ended. */
  get released(): boolean {
    return this.#released;
  }

  /** Nothing more may be taken. */
  end(): void {
    this.over.fire();
    this.#wake?.();
  }

  /** Others may have it. */
  lose(): void {
    this.end();
    this.lost.fire();
  }

  /** There may be something new. */
  poke(): void {
    this.#wake?.();
  }

  async take(max: number): Promise<readonly Delivery[] | undefined> {
    const { store, id } = this.#options;
    while (!this.over.fired) {
      // A message that may have killed its consumer is taken alone: it must not take others along.
      const suspicious = this.#suspicion > 0;
      if (suspicious && this.#position !== this.#prefix.next) {
        await this.#pause();
        continue;
      }
      if (this.#end !== undefined) await this.#end;
      this.#end = undefined;
      if (this.over.fired) return undefined;
      const limit = suspicious ? 1 : max;
      const woken = this.#nextWake();
      const stored = await store.read(id.topic, this.partition, this.#position, limit);
      if (this.over.fired) return undefined;
      if (store.readsToTheEnd === true && stored.length < limit) this.#end = woken;
      if (stored.length > 0) return this.#taken(stored);
      await woken;
    }
    return undefined;
  }

  #taken(stored: readonly Stored[]): readonly Delivery[] {
    for (const { offset } of stored) this.#prefix.take(offset);
    this.#position = (stored.at(-1)?.offset ?? this.#position) + 1;
    return stored.map((each) => ({ ...each, attempt: 1 + this.#suspicion }));
  }

  /** Armed before the read, so that what is appended during it is not missed. */
  #nextWake(): Promise<void> {
    const { runtime, pollMs } = this.#options;
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        if (this.#wake === wake) this.#wake = undefined;
        resolve();
      };
      this.#wake?.();
      this.#wake = wake;
      const timer = runtime.timers.after(pollMs, wake);
    });
  }

  async #pause(): Promise<void> {
    await this.#nextWake();
  }

  async ack(deliveries: readonly Delivery[], before?: 'handling'): Promise<void> {
    if (before !== undefined) this.#atMostOnce = true;
    for (const { offset } of deliveries) this.#prefix.done(offset);
    // One commit at a time; those that come meanwhile share the next one.
    while (this.#committed < this.#prefix.next && !this.#released) {
      this.#committing ??= this.#commit().finally(() => {
        this.#committing = undefined;
      });
      await this.#committing;
    }
  }

  async #commit(): Promise<void> {
    const { store, id } = this.#options;
    const next = this.#prefix.next;
    if (!(await store.commit(id, this.partition, this.epoch, next, this.#atMostOnce))) {
      this.lose();
      const message = `partition ${this.partition} of ${id.topic} has another owner in group ${id.group}`;
      throw new HeddleError({ code: 'aborted', reason: 'CLAIM_LOST', message });
    }
    this.#committed = next;
    if (this.#suspicion === 0) return;
    this.#suspicion = 0;
    this.#wake?.();
  }

  /**
   * Where the store says that the group is. Less than was committed: it died before that was on its disk, and what is
   * done is committed again, as nobody knows when the next message comes.
   */
  compare(next: number): void {
    if (next >= this.#committed || this.#committing !== undefined) return;
    this.#committed = next;
    // If it cannot be asked now, it is compared again with the next renewal.
    this.ack([]).catch(() => {});
  }

  async release(): Promise<void> {
    this.end();
    if (this.#released) return;
    this.#released = true;
    const { store, id } = this.#options;
    // If the store cannot be told, the lease tells it.
    await store.release(id, this.partition, this.epoch).catch(() => {});
  }
}
