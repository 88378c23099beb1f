import { HeddleError } from '../error.ts';
import type { Runtime } from '../ports/runtime.ts';
import { sleep } from '../sleep.ts';

/** Something that runs: a server, a consumer, a pool. */
export interface Part {
  readonly name: string;
  /** Resolves when it serves. Rejects if it cannot; nothing is left behind then. */
  start(): Promise<void>;
  /** Takes nothing new and resolves when nothing is in flight. May be cut short by `stop`. */
  drain?(): Promise<void>;
  /** Ends at once what is left. Called once after a successful start. */
  stop(): Promise<void>;
}

/** A statement to the world that this process can be called. */
export interface Registration {
  readonly name: string;
  /** Resolves when the statement stands. It is held true until `deregister`. */
  register(): Promise<void>;
  /** Takes it back. */
  deregister(): Promise<void>;
}

/** What an `App` is made from. Durations in milliseconds. */
export interface AppOptions {
  readonly name: string;
  readonly runtime: Runtime;
  /** Started in this order, stopped in reverse. */
  readonly parts: readonly Part[];
  /** Made when all parts run, taken back before any drains. */
  readonly registrations?: readonly Registration[];
  /** How long to go on serving after deregistering, so that callers hear of it first. Default 1000. */
  readonly propagationMs?: number;
  /** How long work in flight may take to finish. Default 10000. */
  readonly drainMs?: number;
  /** How long deregistering and stopping may take, each. Default 5000. */
  readonly stopMs?: number;
}

/** Where an app is in its life. `failed` means that `start` rejected. */
export type AppState = 'idle' | 'starting' | 'running' | 'draining' | 'stopping' | 'stopped' | 'failed';

/** What went wrong on the way down, by part; empty after a clean stop. */
export interface StopReport {
  readonly problems: readonly { readonly name: string; readonly error: HeddleError }[];
}

/**
 * One process's life: start the parts, register, serve; deregister, wait for that to be heard, drain, stop.
 * The order is the reason for its being: nobody is sent to a process that is not ready or no longer there.
 * The same for every program, so that a rolling restart costs no call.
 */
export class App {
  readonly #options: Required<AppOptions>;
  readonly #problems: { name: string; error: HeddleError }[] = [];
  #state: AppState = 'idle';
  #started: Part[] = [];
  #registered: Registration[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<StopReport> | undefined;

  constructor(options: AppOptions) {
    const defaults = { registrations: [], propagationMs: 1000, drainMs: 10_000, stopMs: 5000 };
    this.#options = { ...defaults, ...options };
  }

  get state(): AppState {
    return this.#state;
  }

  /**
   * Brings all up. If a part or a registration fails, what was started is stopped again and the error is thrown.
   * May be called once.
   */
  start(): Promise<void> {
    if (this.#starting !== undefined || this.#stopping !== undefined) {
      const message = `app ${this.#options.name} is ${this.#state}; start it once`;
      return Promise.reject(
        new HeddleError({ code: 'failed_precondition', reason: 'ALREADY_STARTED', message }),
      );
    }
    this.#starting = this.#start();
    return this.#starting;
  }

  /** Takes all down in order; never rejects. Safe to call at any time, any number of times. */
  stop(): Promise<StopReport> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    this.#state = 'starting';
    try {
      for (const part of this.#options.parts) {
        await part.start();
        this.#started.push(part);
        this.#throwIfStopping();
      }
      for (const registration of this.#options.registrations) {
        // Counted before it resolves: a registration that was cut short may stand all the same.
        this.#registered.push(registration);
        await registration.register();
        this.#throwIfStopping();
      }
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (this.#stopping === undefined) {
        this.#stopping = this.#down('failed');
        await this.#stopping;
      }
      throw error;
    }
    this.#state = 'running';
  }

  #throwIfStopping(): void {
    if (this.#stopping === undefined) return;
    const message = `app ${this.#options.name} was stopped while it started`;
    throw new HeddleError({ code: 'cancelled', reason: 'STOPPED', message });
  }

  async #stop(): Promise<StopReport> {
    // A start in progress ends at its next step, and leaves what it has started to be stopped here.
    if (this.#state === 'starting') await this.#starting?.catch(() => {});
    return this.#down('stopped');
  }

  async #down(last: 'stopped' | 'failed'): Promise<StopReport> {
    const { runtime, propagationMs, drainMs, stopMs } = this.#options;
    const wasServing = this.#registered.length > 0;
    this.#state = 'draining';
    await this.#each('deregister', this.#registered, stopMs, (registration) => registration.deregister());
    if (wasServing && last === 'stopped') await sleep(runtime.timers, propagationMs);
    await this.#each('drain', this.#started, drainMs, (part) => part.drain?.() ?? Promise.resolve());
    this.#state = 'stopping';
    for (const part of this.#started.toReversed()) {
      await this.#each('stop', [part], stopMs, () => part.stop());
    }
    this.#state = last;
    return { problems: this.#problems };
  }

  /** Runs one step on all at once, each within the limit; notes what failed or took too long, and goes on. */
  async #each<T extends { name: string }>(
    step: string,
    items: readonly T[],
    limitMs: number,
    run: (item: T) => Promise<void>,
  ): Promise<void> {
    const { timers, log } = this.#options.runtime;
    const one = async (item: T): Promise<void> => {
      try {
        await within(timers, limitMs, `${step} of ${item.name}`, run(item));
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        this.#problems.push({ name: item.name, error });
        log('warn', 'a step of the shutdown failed', { step, part: item.name, error: error.message });
      }
    };
    await Promise.all(items.map(one));
  }
}

async function within(
  timers: Runtime['timers'],
  limitMs: number,
  what: string,
  work: Promise<void>,
): Promise<void> {
  let late: (error: HeddleError) => void = () => {};
  const limit = new Promise<never>((_, reject) => {
    late = reject;
  });
  const timer = timers.after(limitMs, () => {
    const message = `${what} took longer than ${limitMs} ms`;
    late(new HeddleError({ code: 'deadline_exceeded', reason: 'STEP_TOO_SLOW', message }));
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    timer.cancel();
  }
}
