import type { HeddleError } from '@heddle/kernel';
import type { DecisionRecord, RecordedCause } from './decision-record.ts';
import type { AttemptNotes, Recording } from './recording.ts';

/** Names what made the call fail: the error that it ended with, where that came from, and what lies beneath it. */
export function causeOf(
  error: HeddleError,
  recorded: Recording,
  side: DecisionRecord['side'],
): RecordedCause {
  const last = recorded.attempts.at(-1);
  const beneath = [...reasonsBeneath(error)].map((text) => `; beneath it: ${text}`).join('');
  const text = `${error.message} (${side === 'server' ? 'while this process served it' : placeOf(error, last)}${waitedFor(error, last)})${beneath}`;
  return { reason: error.reason, text };
}

function placeOf(error: HeddleError, last: AttemptNotes | undefined): string {
  const member = last?.member;
  if (member === undefined) return 'decided in this process, no instance was called';
  const at = `${member.id} at ${member.address}`;
  if (last?.error !== undefined && last.error !== error && !sameFailure(last.error, error))
    return `decided in this process; the last attempt, at ${at}, ended with ${last.error.reason}`;
  return error.sent ? `instance ${at}` : `on the way to instance ${at}, which has not handled the call`;
}

function waitedFor(error: HeddleError, last: AttemptNotes | undefined): string {
  if (error.code !== 'deadline_exceeded' || last?.member === undefined) return '';
  return `, attempt ${last.number} was waiting for its answer`;
}

function sameFailure(a: HeddleError, b: HeddleError): boolean {
  return a.is(b.code, b.reason);
}

/** The messages of what an error was caused by, as far as they say something new. */
function* reasonsBeneath(error: HeddleError): Generator<string> {
  const said = new Set([error.message]);
  let cause: unknown = error.cause;
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
    if (!said.has(cause.message)) yield cause.message;
    said.add(cause.message);
    cause = cause.cause;
  }
}
