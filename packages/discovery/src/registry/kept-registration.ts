import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { type Health, type Instance, sameInstance } from './instance.ts';
import type { LeaseClient } from './lease-client.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { DesiredRegistration } from './registry.ts';

/** What keeps a registration. */
export interface KeptRegistrationOptions {
  readonly runtime: Runtime;
  readonly leases: LeaseClient;
  readonly ttlMs: number;
  /** Renews while this thread cannot. */
  readonly keeper?: LeaseKeeper | undefined;
}

const firstBackoffMs = 200;
const longestBackoffMs = 3000;
// How far apart those come back who have all lost their leases at one moment (a wiped server).
const spreadMs = 1000;
// With the removal's own deadline below the 5 s that an app has for deregistering.
const releaseWaitMs = 2000;

/**
 * The reconcile loop: one statement, held true until it is released. It renews at a third of the lease; after a lost
 * lease it registers again within a second; after any other failure it tries again for ever, with full jitter over a
 * back-off from 200 ms to 3 s. A lease is counted from when it was asked for, not from the answer, and on the
 * monotonic clock; if it has run out by then (a long pause), it is treated as lost, whatever the registry may still say.
 */
export class KeptRegistration implements DesiredRegistration {
  readonly #runtime: Runtime;
  readonly #leases: LeaseClient;
  readonly #ttlMs: number;
  readonly #keeper: LeaseKeeper | undefined;
  readonly #lease: string;
  readonly #listeners = new Set<(registered: boolean) => void>();
  #instance: Instance;
  /** The instance that the registry has from us. */
  #put: Instance | undefined;
  #wasEverPut = false;
  #mayBeThere = false;
  #confirmedAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #problem: HeddleError | undefined;
  #told = false;
  #lapse: Timer | undefined;
  #released = false;
  #hurry = false;
  #wake: (() => void) | undefined;
  #attempts: ((problem: HeddleError | undefined) => void)[] = [];
  readonly #loop: Promise<void>;

  constructor(instance: Instance, options: KeptRegistrationOptions) {
    this.#instance = instance;
    this.#runtime = options.runtime;
    this.#leases = options.leases;
    this.#ttlMs = options.ttlMs;
    this.#keeper = options.keeper;
    this.#lease = options.runtime.random.uuid();
    // After this turn, so that whoever made it can wait for the very first attempt.
    this.#loop = Promise.resolve().then(() => this.#run());
  }

  get instance(): Instance {
    return this.#instance;
  }

  get problem(): HeddleError | undefined {
    return this.#problem;
  }

  get registered(): boolean {
    return this.#put !== undefined && this.#runtime.clock.nowMs() < this.#endMs;
  }

  /** When the lease ends, by what is known here. */
  get #endMs(): number {
    const keptAtMs = this.#keeper?.confirmedAtMs(this.#lease) ?? Number.NEGATIVE_INFINITY;
    return Math.max(this.#confirmedAtMs, keptAtMs) + this.#ttlMs;
  }

  subscribe(listener: (registered: boolean) => void): () => void {
    const own = (registered: boolean): void => listener(registered);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Replaces what is stated (the same service and id), and resolves when that was tried once: with why it failed. */
  state(instance: Instance): Promise<HeddleError | undefined> {
    this.#instance = instance;
    return this.attempted();
  }

  /** As `state`, with another health. */
  report(health: Health | undefined): Promise<HeddleError | undefined> {
    return this.state(health === undefined ? this.#instance : { ...this.#instance, health });
  }

  /** Resolves when the next attempt, which begins as soon as possible, has succeeded or failed: with why it failed. */
  attempted(): Promise<HeddleError | undefined> {
    return new Promise((resolve) => {
      this.#attempts.push(resolve);
      this.#hurry = true;
      this.#wake?.();
    });
  }

  /**
   * Ends the loop and takes the entry away, within 2 s and the time of the removal. Rejects if the registry cannot be
   * told; the loop has ended all the same.
   */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#wake?.();
    this.#keeper?.drop(this.#instance.service, this.#instance.id);
    // A registration on its way could otherwise arrive after the removal. One that takes longer than this goes to a
    // registry that does not answer, and its entry, if there will be one, lapses.
    await this.#loopEnded();
    this.#lapse?.cancel();
    this.#put = undefined;
    this.#tell();
    if (!this.#mayBeThere) return;
    try {
      await this.#leases.remove(this.#instance.service, this.#instance.id, this.#lease);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.reason !== 'LEASE_SUPERSEDED' && error.reason !== 'LEASE_LOST') throw error;
    }
  }

  #loopEnded(): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.#runtime.timers.after(releaseWaitMs, () => {
        this.#mayBeThere = true;
        resolve();
      });
      void this.#loop.then(() => {
        limit.cancel();
        resolve();
      });
    });
  }

  async #run(): Promise<void> {
    while (!this.#released) {
      const waiting = this.#attempts;
      this.#attempts = [];
      this.#hurry = false;
      const startedMs = this.#runtime.clock.nowMs();
      const problem = await this.#attempt(startedMs);
      this.#noteProblem(problem);
      for (const resolve of waiting) resolve(problem);
      await this.#pause(this.#delayMs(problem, startedMs));
    }
    const stopped = new HeddleError({
      code: 'cancelled',
      reason: 'DEREGISTERED',
      message: 'taken back meanwhile',
    });
    for (const resolve of this.#attempts) resolve(stopped);
  }

  async #attempt(startedMs: number): Promise<HeddleError | undefined> {
    const { service, id, health } = this.#instance;
    if (startedMs >= this.#endMs) this.#put = undefined;
    const stated = this.#instance;
    try {
      if (this.#put !== undefined && differOnlyInHealth(this.#put, stated)) {
        await this.#leases.renew(service, id, this.#lease, health);
      } else {
        const leased = { instance: stated, lease: this.#lease, ttlMs: this.#ttlMs };
        await this.#leases.put(leased, !this.#wasEverPut);
        this.#wasEverPut = true;
      }
    } catch (thrown) {
      return HeddleError.from(thrown);
    }
    this.#mayBeThere = true;
    if (this.#released) return undefined;
    this.#put = stated;
    this.#confirmedAtMs = startedMs;
    this.#keeper?.keep({ service, id, lease: this.#lease, ttlMs: this.#ttlMs, confirmedAtMs: startedMs });
    return undefined;
  }

  #noteProblem(problem: HeddleError | undefined): void {
    const { log } = this.#runtime;
    const { service, id } = this.#instance;
    if (problem === undefined) {
      if (this.#failures > 0) log('info', 'registered again', { service, id, failures: this.#failures });
      this.#failures = 0;
    } else {
      this.#failures += 1;
      if (problem.reason === 'LEASE_LOST' || problem.reason === 'LEASE_SUPERSEDED') {
        this.#put = undefined;
        this.#keeper?.drop(service, id);
      }
      if (problem.sent) this.#mayBeThere = true;
      if (this.#problem?.reason !== problem.reason) {
        log('warn', 'a registration is in trouble', {
          service,
          id,
          reason: problem.reason,
          error: problem.message,
        });
      }
    }
    this.#problem = problem;
    this.#tell();
  }

  /** Tells the listeners if the gauge has moved, and sets the alarm for when it will move by itself. */
  #tell(): void {
    const { clock, timers } = this.#runtime;
    const { registered } = this;
    this.#lapse?.cancel();
    if (registered) {
      this.#lapse = timers.after(this.#endMs - clock.nowMs(), () => this.#tell());
    }
    if (registered === this.#told) return;
    this.#told = registered;
    for (const listener of this.#listeners) listener(registered);
  }

  #delayMs(problem: HeddleError | undefined, startedMs: number): number {
    const { clock, random } = this.#runtime;
    const renewMs = (this.#ttlMs / 3) * (0.8 + 0.2 * random.float());
    // From the start of the last one, so that a slow registry does not stretch the interval.
    if (problem === undefined) return Math.max(0, startedMs + renewMs - clock.nowMs());
    if (problem.reason === 'LEASE_LOST') return spreadMs * random.float();
    if (problem.reason === 'LEASE_SUPERSEDED') return renewMs;
    const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 16));
    return backoffMs * random.float();
  }

  #pause(delayMs: number): Promise<void> {
    if (this.#released || this.#hurry) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
      const timer = this.#runtime.timers.after(delayMs, wake);
      this.#wake = wake;
    });
  }
}

function differOnlyInHealth(a: Instance, b: Instance): boolean {
  return a === b || sameInstance({ ...a, health: b.health }, b);
}
