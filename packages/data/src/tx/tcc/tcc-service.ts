import { type Call, HeddleError, type Service } from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';
import { type Passed, passBarrier } from '../barrier/index.ts';

/** What a branch is told: `try` reserves, `confirm` uses what is reserved, `cancel` gives it back. */
export interface TccRequest<Payload = unknown> {
  readonly op: 'try' | 'confirm' | 'cancel';
  readonly tx: string;
  readonly branch: string;
  readonly payload: Payload;
}

/** What it answers; `done` is false for what was done before, or is not to be done. */
export interface TccAnswer {
  readonly done: boolean;
}

/** The contract of a branch, over whatever RPC. */
export type TccService = Service<TccRequest, TccAnswer>;

/** What a branch does, each in its own transaction. Confirm and cancel must succeed in the end: they come until they do. */
export interface TccHandlers<Payload> {
  /** Database with the branch's own tables; `prepareBarrier` was called on it. */
  readonly pool: SqlPool;
  readonly reserve: (sql: Sql, payload: Payload, call: Call) => Promise<unknown>;
  readonly confirm: (sql: Sql, payload: Payload, call: Call) => Promise<unknown>;
  readonly cancel: (sql: Sql, payload: Payload, call: Call) => Promise<unknown>;
}

/**
 * The service of a branch, with a barrier in the transaction of each instruction: a repetition has no effect, a cancel
 * without a try has none and is remembered, and the try that arrives after it is refused with `TCC_OVER`.
 */
export function tccService<Payload>(handlers: TccHandlers<Payload>): TccService {
  const { pool } = handlers;
  return async ({ op, tx, branch, payload }, call) => {
    const work = op === 'try' ? handlers.reserve : handlers[op];
    const passed = await pool.transaction(
      (sql) => passBarrier(sql, { tx, branch, op }, () => work(sql, payload as Payload, call)),
      // A cancel waits for a try that is under way; when nobody waits for the cancel any more, its connection is free.
      Number.isFinite(call.remainingMs())
        ? { statementTimeoutMs: Math.max(1, Math.ceil(call.remainingMs())) }
        : {},
    );
    return answerOf(passed, tx, branch);
  };
}

/** What a branch answers. Throws `TCC_OVER` for a try that arrives after its cancel. */
export function answerOf(passed: Passed<unknown>, tx: string, branch: string): TccAnswer {
  if (passed.done) return { done: true };
  if (passed.why !== 'late') return { done: false };
  const message = `branch ${branch} of ${tx} was cancelled before its try arrived`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'TCC_OVER', message });
}
