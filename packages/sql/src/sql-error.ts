import { type Code, HeddleError } from '@heddle/kernel';

/** When it went wrong: before a statement was sent, while one ran, or while the commit ran. */
export type SqlPhase = 'connect' | 'statement' | 'commit';

/** What PostgreSQL says about a violated rule; the value of the error's detail of type `sqlViolation`. */
export interface SqlViolation {
  readonly table: string | undefined;
  readonly constraint: string | undefined;
  readonly column: string | undefined;
}

/** The `type` of the error detail that holds a `SqlViolation`. */
export const sqlViolation = 'heddle.sql.Violation';

// By SQLSTATE, then by its class (the first two characters). PostgreSQL manual, appendix A.
const meanings: Readonly<Record<string, readonly [Code, string]>> = {
  '22': ['invalid_argument', 'VALUE_REFUSED'],
  '23502': ['invalid_argument', 'NOT_NULL_VIOLATION'],
  '23503': ['failed_precondition', 'FOREIGN_KEY_VIOLATION'],
  '23505': ['already_exists', 'UNIQUE_VIOLATION'],
  '23514': ['failed_precondition', 'CHECK_VIOLATION'],
  '23': ['failed_precondition', 'CONSTRAINT_VIOLATION'],
  '25006': ['unavailable', 'READ_ONLY_SERVER'],
  '25P03': ['aborted', 'IDLE_TRANSACTION_ENDED'],
  '28': ['failed_precondition', 'DATABASE_LOGIN_REFUSED'],
  '3D000': ['failed_precondition', 'NO_SUCH_DATABASE'],
  '40001': ['aborted', 'SERIALIZATION_FAILURE'],
  '40P01': ['aborted', 'DEADLOCK'],
  '53100': ['resource_exhausted', 'DATABASE_DISK_FULL'],
  '53300': ['resource_exhausted', 'TOO_MANY_CONNECTIONS'],
  '53': ['resource_exhausted', 'DATABASE_EXHAUSTED'],
  '55P03': ['aborted', 'LOCK_TIMEOUT'],
  '57014': ['deadline_exceeded', 'STATEMENT_TIMEOUT'],
  '57P': ['unavailable', 'DATABASE_STOPPING'],
  '58': ['internal', 'DATABASE_SYSTEM_ERROR'],
  XX: ['internal', 'DATABASE_INTERNAL_ERROR'],
};

// Said by the client before it writes anything on a connection that it knows to be dead.
const notSent = /not queryable/;
const queueFull = /timeout exceeded when trying to connect/;

/** What the driver threw, as the one error. `what` names the database for people: never the URL, which holds a secret. */
export function sqlError(thrown: unknown, phase: SqlPhase, what: string): HeddleError {
  if (thrown instanceof HeddleError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const state = sqlState(cause);
  if (state !== undefined) return serverError(cause, state, phase, what);
  const message = `${what}: ${cause.message}`;
  if (queueFull.test(cause.message)) {
    return new HeddleError({
      code: 'resource_exhausted',
      reason: 'POOL_EXHAUSTED',
      message,
      cause,
      sent: false,
    });
  }
  if (phase === 'connect') {
    return new HeddleError({
      code: 'unavailable',
      reason: 'DATABASE_UNREACHABLE',
      message,
      cause,
      sent: false,
    });
  }
  if (phase === 'commit') {
    return new HeddleError({ code: 'unknown', reason: 'COMMIT_UNKNOWN', message, cause });
  }
  if (isConnectionLoss(cause)) {
    const sent = !notSent.test(cause.message);
    return new HeddleError({ code: 'unavailable', reason: 'CONNECTION_LOST', message, cause, sent });
  }
  if (/Query read timeout/.test(cause.message)) {
    return new HeddleError({ code: 'deadline_exceeded', reason: 'NO_ANSWER', message, cause });
  }
  return new HeddleError({ code: 'internal', reason: 'SQL_CLIENT_ERROR', message, cause });
}

/** The rule that an error says was violated, if it is of that kind. */
export function violationOf(error: HeddleError): SqlViolation | undefined {
  const detail = error.details.find((each) => each.type === sqlViolation);
  return detail?.value as SqlViolation | undefined;
}

/** True when the connection can serve nobody any more and must leave the pool. */
export function isConnectionBroken(error: HeddleError): boolean {
  return [
    'CONNECTION_LOST',
    'NO_ANSWER',
    'COMMIT_UNKNOWN',
    'DATABASE_STOPPING',
    'IDLE_TRANSACTION_ENDED',
  ].includes(error.reason);
}

function serverError(cause: Error, state: string, phase: SqlPhase, what: string): HeddleError {
  const found = meanings[state] ?? meanings[state.slice(0, 3)] ?? meanings[state.slice(0, 2)];
  const [code, reason] = found ?? ['internal', 'SQL_ERROR'];
  const violated = state.startsWith('23') ? [{ type: sqlViolation, value: violation(cause) }] : [];
  const message = `${what}: ${cause.message} (SQLSTATE ${state})`;
  return new HeddleError({ code, reason, message, cause, sent: phase !== 'connect', details: violated });
}

function violation(cause: Error): SqlViolation {
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(cause, name);
    return typeof value === 'string' ? value : undefined;
  };
  return { table: text('table'), constraint: text('constraint'), column: text('column') };
}

/** Five characters as the server sent them; the system's `ECONNRESET` and the like are longer and no SQLSTATE. */
function sqlState(cause: Error): string | undefined {
  const state: unknown = Reflect.get(cause, 'code');
  return typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) && 'severity' in cause ? state : undefined;
}

function isConnectionLoss(cause: Error): boolean {
  const errno: unknown = Reflect.get(cause, 'code');
  const broken = ['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ETIMEDOUT', 'ENETUNREACH', 'EHOSTUNREACH'];
  if (typeof errno === 'string' && broken.includes(errno)) return true;
  return /Connection terminated|connection error|not queryable|Connection ended/i.test(cause.message);
}
