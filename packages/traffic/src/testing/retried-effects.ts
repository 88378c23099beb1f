import {
  Call,
  classifyErrors,
  HeddleError,
  idempotency,
  idempotencyKey,
  type Random,
  type Runtime,
  type Service,
  settle,
  sleep,
} from '@heddle/kernel';
import { hedge } from '../hedge/hedge.ts';
import { RetryBudget } from '../retry/budget.ts';
import { retry } from '../retry/retry.ts';

/** What `retriedEffects` is to do. */
export interface EffectsOptions {
  readonly runtime: Runtime;
  /** Chance of the faults, apart from that of the layers. */
  readonly chance: Random;
  readonly calls: number;
  /** Whether reads and calls with a key say so. Without that, retries are off. */
  readonly declared: boolean;
  /** Whether every request is reset. Default false. */
  readonly alwaysDown?: boolean;
}

/** What came of it. */
export interface EffectsReport {
  /** By the number of the call: how often its work was done. Numbers divisible by three, and those two above, have an effect. */
  readonly effects: Uint8Array;
  readonly answered: number;
  /** Answers that were not the call's own. */
  readonly wrong: number;
  /** Requests beyond one for each call: retries and hedges. */
  readonly repeated: number;
}

/** Calls at a time. */
const atATime = 2000;

/**
 * Calls in three kinds by turns, through `retry` and `hedge` with one budget: a payment (not idempotent), a read, and a
 * payment with a key, which the server honours. Of the requests 20 % are reset: 5 % provably before the handler, 5 %
 * before it without anybody knowing, 10 % after it. Of the replies 5 % come twice: the second is taken for the answer
 * of the attempt that follows.
 */
export async function retriedEffects(options: EffectsOptions): Promise<EffectsReport> {
  const { runtime, calls, declared } = options;
  const server = new FaultyServer(options);
  const budget = new RetryBudget(runtime.clock);
  const again = retry<number, string>({ classify: classifyErrors, budget });
  const twice = hedge<number, string>({ classify: classifyErrors, budget, delayMs: 3, deposits: false });
  const service = again(twice(server.service));
  let answered = 0;
  let wrong = 0;
  const one = async (number: number): Promise<void> => {
    const call = Call.root(runtime);
    if (declared && number % 3 === 1) call.set(idempotency, 'no_side_effects');
    if (declared && number % 3 === 2) call.set(idempotencyKey, `key-${number}`);
    const result = await settle(service, number, call);
    if (!result.ok) return;
    answered++;
    if (result.value !== `done ${number}`) wrong++;
  };
  for (let first = 0; first < calls; first += atATime)
    await Promise.all(
      Array.from({ length: Math.min(atATime, calls - first) }, (_, index) => one(first + index)),
    );
  return { effects: server.effects, answered, wrong, repeated: server.received - calls };
}

class FaultyServer {
  readonly effects: Uint8Array;
  received = 0;
  readonly #options: EffectsOptions;
  /** Answers by idempotency key. */
  readonly #done = new Map<string, string>();
  /** Second copies of replies that are on their way. */
  readonly #copies = new Map<number, string>();
  /** One timer for all that fall due together. */
  readonly #due = new Map<number, Promise<void>>();

  constructor(options: EffectsOptions) {
    this.#options = options;
    this.effects = new Uint8Array(options.calls);
  }

  readonly service: Service<number, string> = async (req, call) => {
    const { chance, alwaysDown = false } = this.#options;
    this.received++;
    const draw = chance.float();
    await this.#after(1 + Math.floor(chance.float() * 3));
    if (alwaysDown) throw reset(true);
    if (draw < 0.1) throw reset(draw >= 0.05);
    const copy = this.#copies.get(req);
    if (copy !== undefined) return copy;
    const answer = this.#work(req, call.get(idempotencyKey));
    if (chance.float() < 0.05) this.#copies.set(req, answer);
    if (draw < 0.2) throw reset(true);
    return answer;
  };

  #work(req: number, key: string | undefined): string {
    const before = key === undefined ? undefined : this.#done.get(key);
    if (before !== undefined) return before;
    this.effects[req] = (this.effects[req] as number) + 1;
    const answer = `done ${req}`;
    if (key !== undefined) this.#done.set(key, answer);
    return answer;
  }

  #after(delayMs: number): Promise<void> {
    const { clock, timers } = this.#options.runtime;
    const atMs = Math.ceil(clock.nowMs()) + delayMs;
    const known = this.#due.get(atMs);
    if (known !== undefined) return known;
    const wait = sleep(timers, atMs - clock.nowMs()).then(() => void this.#due.delete(atMs));
    this.#due.set(atMs, wait);
    return wait;
  }
}

function reset(sent: boolean): HeddleError {
  return new HeddleError({ code: 'unavailable', reason: 'RESET', message: 'connection reset', sent });
}
