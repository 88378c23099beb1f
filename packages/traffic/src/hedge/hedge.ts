import {
  attempt,
  type Call,
  type Classify,
  HeddleError,
  type Layer,
  type Replay,
  type Result,
  type Service,
  settle,
  type Timer,
} from '@heddle/kernel';
import { excluded, picked } from '../balance/picker.ts';
import { checkOptions, present, wholeFrom } from '../options/check-options.ts';
import type { RetryBudget } from '../retry/budget.ts';
import { mayRepeat } from '../retry/decision.ts';

/** What `hedge` needs to know. */
export interface HedgeOptions<Req, Res> {
  readonly classify: Classify<Req, Res>;
  /** Default: the request as it is. */
  readonly replay?: Replay<Req>;
  /** What a hedge costs. Shared with `retry`. */
  readonly budget: RetryBudget;
  /** How long to wait for an answer before another is asked: about the 95th percentile. Asked anew for each call. */
  readonly delayMs: number | (() => number);
  /** Further attempts at most. Default 1. */
  readonly hedges?: number;
  /** False where `retry` above counts the calls of the same budget. Default true. */
  readonly deposits?: boolean;
}

const ruleOf = {
  classify: present,
  replay: present,
  budget: present,
  delayMs: {
    expected: 'milliseconds, 0 or more, or a function that gives them',
    holds: (value: unknown): boolean =>
      typeof value === 'function' || (typeof value === 'number' && value >= 0),
  },
  hedges: wholeFrom(0),
  deposits: present,
};

/**
 * Asks another instance as well when the first does not answer soon, and takes the first answer that is not
 * `retryable`; the others are cancelled. Only for calls that do no harm twice (`mayRepeat`): others pass as they are.
 * Within the budget, so that a slow upstream gets at most a fifth more. Stands where `retry` stands, or below it.
 */
export function hedge<Req, Res>(options: HedgeOptions<Req, Res>): Layer<Req, Res> {
  checkOptions('hedge', options, ruleOf);
  const { budget, deposits = true } = options;
  return (next) => (req, call) => {
    if (deposits) budget.deposit();
    return mayRepeat(call, undefined) ? new Race(next, call, options).run(req) : next(req, call);
  };
}

class Race<Req, Res> {
  readonly #next: Service<Req, Res>;
  readonly #call: Call;
  readonly #options: HedgeOptions<Req, Res>;
  readonly #running = new Set<Call>();
  readonly #all: Call[] = [];
  #left: number;
  #timer: Timer | undefined;
  #over = false;
  #resolve: (value: Res) => void = () => {};
  #reject: (error: HeddleError) => void = () => {};

  constructor(next: Service<Req, Res>, call: Call, options: HedgeOptions<Req, Res>) {
    this.#next = next;
    this.#call = call;
    this.#options = options;
    this.#left = options.hedges ?? 1;
  }

  run(req: Req): Promise<Res> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#start(req);
    });
  }

  #start(req: Req): void {
    const call = this.#call;
    const tried = this.#all.map((child) => child.get(picked)).filter((id) => id !== undefined);
    const child = call
      .child()
      .set(attempt, call.get(attempt) + this.#all.length)
      .set(excluded, tried.length === 0 ? call.get(excluded) : [...call.get(excluded), ...tried]);
    // What this call has picked is not what this attempt picks.
    child.set(picked, undefined);
    this.#all.push(child);
    this.#running.add(child);
    void settle(this.#next, req, child).then((result) => this.#settled(child, req, result));
    if (this.#left === 0) return;
    const { delayMs } = this.#options;
    const waitMs = typeof delayMs === 'number' ? delayMs : delayMs();
    this.#timer = call.runtime.timers.after(waitMs, () => this.#another(req));
  }

  /** One more attempt, if there may be one. */
  #another(req: Req): boolean {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#over || this.#left === 0 || this.#call.cancelled !== undefined) return false;
    const again = (this.#options.replay ?? same)(req);
    if (again === undefined || !this.#options.budget.withdraw()) return false;
    this.#left--;
    this.#start(again);
    return true;
  }

  #settled(child: Call, req: Req, result: Result<Res>): void {
    this.#running.delete(child);
    if (this.#over) return;
    const retryable = this.#options.classify(req, result) === 'retryable';
    // What has failed need not be waited for; while others run, they may still do better.
    if (retryable && (this.#another(req) || this.#running.size > 0)) {
      if (result.ok) child.cancel(superseded());
      return;
    }
    this.#over = true;
    this.#timer?.cancel();
    for (const other of this.#all) if (other !== child) other.cancel(superseded());
    this.#call.set(picked, child.get(picked));
    if (!result.ok) {
      this.#reject(result.error);
      return;
    }
    this.#call.endWith(child);
    this.#resolve(result.value);
  }
}

function superseded(): HeddleError {
  const message = 'another attempt has answered first';
  return new HeddleError({ code: 'cancelled', reason: 'SUPERSEDED', message });
}

function same<Req>(req: Req): Req {
  return req;
}
