import {
  attempt,
  type Call,
  type Classify,
  HeddleError,
  type Layer,
  type Replay,
  type Result,
  type Service,
  settleThen,
  sleep,
} from '@heddle/kernel';
import { excluded, noneExcluded, picked } from '../balance/picker.ts';
import { settleWithin } from '../timeout/settle-within.ts';
import { type Backoff, backoffMs } from './backoff.ts';
import type { RetryBudget } from './budget.ts';
import { type Decision, decide, giveUp, mayRepeat } from './decision.ts';

/** What `retry` needs to know. */
export interface RetryOptions<Req, Res> {
  /** Only `retryable` results are tried again. The same for all layers of a stack. */
  readonly classify: Classify<Req, Res>;
  /** Default: the request as it is, for requests that can be read any number of times. */
  readonly replay?: Replay<Req>;
  /** Shared by all calls to one target. */
  readonly budget: RetryBudget;
  /** Attempts in all. Default 3; 1 switches retries off. */
  readonly attempts?: number;
  readonly backoff?: Backoff;
  /** How long one attempt may take until its response begins. Default: until the call's deadline. */
  readonly attemptTimeoutMs?: number;
  /** The wait the server asked for with this result; negative: it wants no retry. Default: it never says. */
  readonly pushbackMs?: (result: Result<Res>) => number | undefined;
  /** Hears of each decision. Must not throw. */
  readonly onDecision?: (call: Call, decision: Decision) => void;
}

/**
 * Tries again what failed and may succeed, if that does no harm (`mayRepeat`), within attempts, deadline and budget.
 *
 * Every attempt is a child call with its number in `attempt` and the instances tried before in `excluded`. The call
 * ends as the last attempt ends. A response that has begun is final: only a `retryable` one is given up, and its
 * attempt cancelled. After a failure that reached no handler the first retry goes out at once, since it goes
 * elsewhere; all others wait (`backoffMs`).
 */
export function retry<Req, Res>(options: RetryOptions<Req, Res>): Layer<Req, Res> {
  const { budget } = options;
  return (next) => (req, call) => {
    const nowMs = call.runtime.clock.nowMs();
    budget.deposit(nowMs);
    return tryOnce(options, next, req, call, 1, noneExcluded, nowMs);
  };
}

/** Makes one attempt, and the next ones if they are to be. */
function tryOnce<Req, Res>(
  options: RetryOptions<Req, Res>,
  next: Service<Req, Res>,
  req: Req,
  call: Call,
  number: number,
  tried: readonly string[],
  nowMs?: number,
): Promise<Res> {
  const { replay = same, attemptTimeoutMs, onDecision } = options;
  // Set on the first too: what this call inherits from the one it serves is of that one's attempts.
  const child = call.child(undefined, nowMs).set(attempt, number).set(excluded, tried);
  return perAttempt(next, req, child, attemptTimeoutMs, (result) => {
    const again = replay(req);
    const decision = judge(options, req, result, call, number, again !== undefined);
    onDecision?.(call, decision);
    if (!decision.retry || again === undefined) return pass(result, call, child);
    if (result.ok) child.cancel(superseded());
    const instance = child.get(picked);
    const avoided = instance === undefined ? tried : [...tried, instance];
    const { delayMs } = decision;
    if (delayMs <= 0) return tryOnce(options, next, again, call, number + 1, avoided);
    return sleep(call.runtime.timers, delayMs, call).then(() =>
      tryOnce(options, next, again, call, number + 1, avoided),
    );
  });
}

const settled: Decision = giveUp('settled');

function judge<Req, Res>(
  options: RetryOptions<Req, Res>,
  req: Req,
  result: Result<Res>,
  call: Call,
  number: number,
  replayable: boolean,
): Decision {
  const meaning = options.classify(req, result);
  if (meaning !== 'retryable') return settled;
  const error = result.ok ? undefined : result.error;
  const atOnce = number === 1 && error !== undefined && !error.sent;
  const decision = decide({
    meaning,
    attempt: number,
    attempts: options.attempts ?? 3,
    replayable,
    repeatable: mayRepeat(call, error),
    pushbackMs: options.pushbackMs?.(result),
    backoffMs: atOnce ? 0 : backoffMs(number, call.runtime.random, options.backoff),
    remainingMs: call.remainingMs(),
    cancelled: call.cancelled !== undefined,
  });
  // Asked last: only a retry that will happen may take from the budget.
  return decision.retry && !options.budget.withdraw() ? giveUp('budget_empty') : decision;
}

/** The last attempt's result becomes the call's, and its end the call's end. */
function pass<Res>(result: Result<Res>, call: Call, child: Call): Res {
  if (!result.ok) throw result.error;
  call.endWith(child);
  return result.value;
}

function perAttempt<Req, Res>(
  next: Service<Req, Res>,
  req: Req,
  call: Call,
  timeoutMs: number | undefined,
  then: (result: Result<Res>) => Res | Promise<Res>,
): Promise<Res> {
  if (timeoutMs === undefined) return settleThen(next, req, call, then);
  return settleWithin(next, req, call, timeoutMs, attemptTimedOut, 'result', then);
}

/** `unavailable`, not `deadline_exceeded`: the caller still has time, it is the instance that has been too slow. */
function attemptTimedOut(attemptTimeoutMs: number): HeddleError {
  const message = `the instance did not answer within the ${attemptTimeoutMs} ms of one attempt`;
  return new HeddleError({ code: 'unavailable', reason: 'ATTEMPT_TIMEOUT', message });
}

function superseded(): HeddleError {
  const message = 'another attempt has taken the place of this response';
  return new HeddleError({ code: 'cancelled', reason: 'SUPERSEDED', message });
}

function same<Req>(req: Req): Req {
  return req;
}
