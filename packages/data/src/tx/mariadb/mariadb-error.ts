import { type Code, HeddleError } from '@heddle/kernel';

const meanings: Readonly<Record<number, readonly [Code, string]>> = {
  1062: ['already_exists', 'UNIQUE_VIOLATION'],
  1205: ['aborted', 'LOCK_TIMEOUT'],
  1213: ['aborted', 'DEADLOCK'],
  1397: ['not_found', 'XA_UNKNOWN'],
  4025: ['failed_precondition', 'CHECK_VIOLATION'],
};

/** What the driver threw, with what it was thrown for. The server's numbers are below 10000; all else is about the connection. */
export function mariadbError(name: string, thrown: unknown): HeddleError {
  if (thrown instanceof HeddleError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const number: unknown = Reflect.get(cause, 'errno');
  const server = typeof number === 'number' && number > 1000 && number < 10_000;
  const found = server ? meanings[number] : undefined;
  const [code, reason] = found ?? (server ? ['internal', 'SQL_ERROR'] : ['unavailable', 'CONNECTION_LOST']);
  return new HeddleError({ code, reason, message: `${name}: ${cause.message}`, cause });
}
