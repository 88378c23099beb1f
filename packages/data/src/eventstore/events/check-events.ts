import { HeddleError, type Random } from '@heddle/kernel';
import type { ExpectedVersion, NewEvent } from './event.ts';

/** An event with all that the store needs of it. */
export interface ReadyEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly schemaVersion: number;
  readonly metadata: string;
}

/** Events of one append, at most. */
export const mostEvents = 10_000;

/**
 * Fills in ids and writes the data as JSON. Throws `invalid_argument` / `BAD_EVENTS`, `sent: false`, with all problems
 * at once.
 */
export function readyEvents(
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedVersion,
  random: Random,
): readonly ReadyEvent[] {
  const problems: string[] = [];
  if (!isPlain(stream, 1, 300))
    problems.push(`stream: expected 1 to 300 printable characters, found ${show(stream)}`);
  if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 1))
    problems.push(
      `expectedVersion: expected a version from 1, 'noStream', 'exists' or 'any', found ${expected}`,
    );
  if (events.length === 0 || events.length > mostEvents)
    problems.push(`events: expected 1 to ${mostEvents} events, found ${events.length}`);
  const ready = events.map((event, at) => readyEvent(event, at, random, problems));
  const ids = new Set(ready.map(({ id }) => id));
  if (ids.size < ready.length) problems.push('events: expected distinct ids, found the same id twice');
  if (problems.length === 0) return ready;
  const message = `nothing was appended to ${show(stream)}: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_EVENTS', message, sent: false });
}

function readyEvent(event: NewEvent, at: number, random: Random, problems: string[]): ReadyEvent {
  const { id = random.uuid(), type, data, schemaVersion = 1, metadata = {} } = event;
  const wrong = (field: string, expected: string, found: unknown): void => {
    problems.push(`events[${at}].${field}: expected ${expected}, found ${show(found)}`);
  };
  if (!isPlain(id, 1, 200)) wrong('id', '1 to 200 printable characters', id);
  if (!isPlain(type, 1, 200)) wrong('type', '1 to 200 printable characters', type);
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1)
    wrong('schemaVersion', 'a whole number from 1', schemaVersion);
  if (!Object.values(metadata).every((value) => typeof value === 'string'))
    wrong('metadata', 'strings', metadata);
  return { id, type, data: jsonOf(data, at, problems), schemaVersion, metadata: JSON.stringify(metadata) };
}

/** PostgreSQL cannot keep the character 0 in JSON; better said here than by a driver. */
function jsonOf(data: unknown, at: number, problems: string[]): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(data);
  } catch (thrown) {
    problems.push(`events[${at}].data: ${(thrown as Error).message}`);
  }
  if (text === undefined)
    problems.push(`events[${at}].data: expected a value that JSON can say, found ${show(data)}`);
  else if (/(?<!\\)(\\\\)*\\u0000/.test(text))
    problems.push(`events[${at}].data: the character U+0000 cannot be kept`);
  return text ?? 'null';
}

function isPlain(value: unknown, least: number, most: number): boolean {
  return typeof value === 'string' && value.length >= least && value.length <= most && !/\p{Cc}/u.test(value);
}

function show(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  const shown = text ?? String(value);
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}
