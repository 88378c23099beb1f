import { HeddleError } from '@heddle/kernel';
import { prepared, type Sql } from '@heddle/sql';
import type { ReadyEvent } from '../events/check-events.ts';
import type { Appended, ExpectedVersion } from '../events/event.ts';

/** One append, ready to be stored. */
export interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedVersion;
  readonly events: readonly ReadyEvent[];
}

interface Row {
  readonly append: number;
  readonly status: 'appended' | 'repeated' | 'conflict' | 'id-taken' | 'archived' | 'deleted';
  readonly version: number;
  readonly position: number | null;
}

const appendEvents = prepared('SELECT * FROM heddle_append_events($1, $2, $3, $4, $5, $6, $7, $8)');

/** What each append came to, in the order given. No two may be of one stream. */
export async function appendAll(
  sql: Sql,
  requests: readonly AppendRequest[],
): Promise<readonly (Appended | HeddleError)[]> {
  const events = requests.flatMap((request) => request.events);
  const rows = await sql.query<Row>(appendEvents, [
    requests.map(({ stream }) => stream),
    requests.map(({ expected }) => expectedNumber(expected)),
    requests.map((request) => request.events.length),
    events.map(({ id }) => id),
    events.map(({ type }) => type),
    events.map(({ schemaVersion }) => schemaVersion),
    events.map((event) => event.data),
    events.map(({ metadata }) => metadata),
  ]);
  const byAppend = new Map(rows.map((row) => [row.append, row]));
  return requests.map((request, at) => outcomeOf(request, byAppend.get(at + 1)));
}

function expectedNumber(expected: ExpectedVersion): number {
  switch (expected) {
    case 'any':
      return -1;
    case 'exists':
      return -2;
    case 'noStream':
      return 0;
    default:
      return expected;
  }
}

function outcomeOf({ stream, expected }: AppendRequest, row: Row | undefined): Appended | HeddleError {
  switch (row?.status) {
    case 'appended':
    case 'repeated':
      return { version: row.version, position: row.position ?? 0, repeated: row.status === 'repeated' };
    case 'conflict':
      return conflict(stream, expected, row.version);
    case 'id-taken':
      return refused(
        'EVENT_ID_TAKEN',
        `an event to be appended to ${stream} has the id of another, stored event`,
      );
    case 'archived':
    case 'deleted':
      return refused('STREAM_CLOSED', `stream ${stream} is ${row.status} and takes no more events`);
    case undefined:
      return new HeddleError({
        code: 'internal',
        reason: 'NO_OUTCOME',
        message: `no outcome for stream ${stream}`,
      });
  }
}

/** `aborted` / `VERSION_CONFLICT`; `details` has a `heddle.VersionConflict` with `expected` and `actual`. */
function conflict(stream: string, expected: ExpectedVersion, actual: number): HeddleError {
  const found = actual === 0 ? 'has no events' : `is at version ${actual}`;
  return new HeddleError({
    code: 'aborted',
    reason: 'VERSION_CONFLICT',
    message: `stream ${stream} ${found}, expected ${expected}; load it again and decide anew`,
    sent: false,
    details: [{ type: 'heddle.VersionConflict', value: { stream, expected, actual } }],
  });
}

function refused(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'failed_precondition', reason, message, sent: false });
}
