import { type Address, Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Health } from '../registry/instance.ts';
import { type HealthCheck, type OpenProbe, openProbe } from './health-check.ts';
import {
  defaultHealthRules,
  type HealthInput,
  type HealthRules,
  type HealthState,
  step,
  unknownHealth,
} from './health-state.ts';
import { critical } from './probe/probe.ts';
import type { ScriptRunner } from './probe/script-probe.ts';

/** Hears of every change of health. Must not throw. */
export type HealthListener = (health: Health, why: string) => void;

/** What and how to check. The rules' defaults are those of `HealthRules`. */
export interface CheckOptions extends Partial<HealthRules> {
  readonly runtime: Runtime;
  readonly address: Address;
  readonly check: HealthCheck;
  /** Deadline of each check. Default 5000. */
  readonly timeoutMs?: number;
  /** Runs the programs of `script` checks: `scriptRunner` of `@heddle/discovery/node`. */
  readonly scripts?: ScriptRunner;
  readonly onChange?: HealthListener;
}

/** A check that goes on until it is stopped. */
export interface RunningCheck {
  readonly health: Health;
  /** What the last check found. */
  readonly why: string;
  /** Ends it: nothing is asked and nobody is told any more. */
  stop(): void;
}

// The first look comes soon, but not that of a whole fleet at one moment.
const firstWithinMs = 1000;

/** Starts one. Throws `failed_precondition` / `NO_SCRIPT_RUNNER` for a script without `scripts`. */
export function startCheck(options: CheckOptions): RunningCheck {
  return new ActiveCheck(options);
}

class ActiveCheck implements RunningCheck {
  readonly #options: CheckOptions;
  readonly #rules: HealthRules;
  readonly #open: OpenProbe;
  readonly #calls = new Set<Call>();
  #state: HealthState;
  #timer: Timer | undefined;
  #watch: 'wanted' | 'running' | 'not offered';
  #stopped = false;

  constructor(options: CheckOptions) {
    const { runtime, check, address, scripts } = options;
    this.#options = options;
    this.#rules = { ...defaultHealthRules, ...options };
    this.#open = openProbe(check, runtime, address, scripts);
    this.#watch = this.#open.grpc === undefined ? 'not offered' : 'wanted';
    this.#state = unknownHealth(runtime.clock.nowMs());
    this.#checkAfter(runtime.random.float() * Math.min(firstWithinMs, this.#rules.intervalMs));
  }

  get health(): Health {
    return this.#state.health;
  }

  get why(): string {
    return this.#state.why;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    for (const call of this.#calls) call.cancel(stopped());
    this.#open.close();
  }

  #checkAfter(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.runtime.timers.after(delayMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    const { runtime, timeoutMs = 5000 } = this.#options;
    const result = await this.#limited(timeoutMs, (call) => this.#open.probe(this.#options.address, call));
    if (this.#stopped) return;
    this.#apply({
      kind: 'checked',
      result: result instanceof HeddleError ? critical(result.message) : result,
      chance: runtime.random.float(),
    });
    if (!(result instanceof HeddleError) && this.#watch === 'wanted') void this.#follow();
  }

  /** Runs it with a deadline, which holds whether it is heeded or not. */
  async #limited<T>(timeoutMs: number, work: (call: Call) => Promise<T>): Promise<T | HeddleError> {
    const { clock, timers } = this.#options.runtime;
    const limit = timers.after(timeoutMs, () => call.cancel(tooSlow(timeoutMs)));
    const call = Call.root(this.#options.runtime, clock.nowMs() + timeoutMs);
    this.#calls.add(call);
    try {
      return await new Promise<T>((resolve, reject) => {
        call.onCancel(reject);
        work(call).then(resolve, reject);
      });
    } catch (thrown) {
      return call.cancelled ?? HeddleError.from(thrown);
    } finally {
      limit.cancel();
      this.#calls.delete(call);
      call.end();
    }
  }

  /**
   * Hears of changes as the server tells them, beside the checks, which go on: a watch alone would not notice a
   * connection that died without a word. When it breaks, a check says at once what that means.
   */
  async #follow(): Promise<void> {
    const { grpc } = this.#open;
    if (grpc === undefined) return;
    this.#watch = 'running';
    const call = Call.root(this.#options.runtime);
    this.#calls.add(call);
    let heard = 0;
    try {
      await grpc.watch(call, (result) => {
        heard += 1;
        if (!this.#stopped) this.#apply({ kind: 'reported', result });
      });
    } catch (thrown) {
      const isOffered = HeddleError.from(thrown).code !== 'unimplemented';
      this.#watch = isOffered ? 'wanted' : 'not offered';
    } finally {
      this.#calls.delete(call);
      call.cancel(stopped());
      call.end();
    }
    // One that never said anything would otherwise be asked again and again.
    if (heard > 0 && !this.#stopped) this.#checkAfter(0);
  }

  #apply(input: HealthInput): void {
    const { runtime, onChange, address } = this.#options;
    const { state, effects } = step(this.#state, input, runtime.clock.nowMs(), this.#rules);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind === 'check') {
        this.#checkAfter(effect.afterMs);
        continue;
      }
      const level = effect.to === 'passing' ? 'info' : 'warn';
      runtime.log(level, 'the health of an instance has changed', { ...effect, ...address });
      onChange?.(effect.to, effect.why);
    }
  }
}

function tooSlow(timeoutMs: number): HeddleError {
  const message = `the check did not end within ${timeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'CHECK_TIMEOUT', message });
}

function stopped(): HeddleError {
  return new HeddleError({ code: 'cancelled', reason: 'CHECK_STOPPED', message: 'the check was stopped' });
}
