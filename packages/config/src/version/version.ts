import { HeddleError } from '@heddle/kernel';
import { type Place, placeText, readPlace } from '../place/place.ts';
import { type Audience, readAudience } from './audience.ts';
import { checkValues, type Values } from './values.ts';

/** What some instances get instead, until it is promoted or taken back. */
export interface Gray {
  readonly audience: Audience;
  readonly values: Values;
}

/** A place at one moment, and who made it so. Versions of a place count from 1 without a gap and never change. */
export interface ConfigVersion {
  readonly place: Place;
  readonly version: number;
  /** Who: a person or a program, for people. 1 to 200 characters. */
  readonly author: string;
  /** When, in milliseconds since 1970, by the clock of whoever made it. */
  readonly atMs: number;
  /** Why, for people. At most 1000 characters. */
  readonly comment: string;
  /** What was done, for people and for the audit. */
  readonly action: Action;
  /** For everybody, but for the audience of `gray`. */
  readonly values: Values;
  readonly gray?: Gray;
}

/** What can be done to a place. */
export const actions = ['publish', 'rollback', 'gray', 'promote', 'abandon'] as const;
/** See `actions`. */
export type Action = (typeof actions)[number];

/** A version as text: what every backend stores and every connection carries. */
export function versionText(version: ConfigVersion): string {
  return JSON.stringify({ ...version, place: placeText(version.place) });
}

/** Reads `versionText`. Throws `data_loss` / `BAD_VERSION` for anything else. `where`: for the message. */
export function readVersion(text: string, where: string): ConfigVersion {
  try {
    return versionOf(JSON.parse(text));
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `${where}: expected a version of configuration, found something else: ${why}`;
    throw new HeddleError({ code: 'data_loss', reason: 'BAD_VERSION', message, cause: thrown });
  }
}

/** As `readVersion`, from JSON that was parsed already. Throws an `Error` that says what is wrong. */
export function versionOf(json: unknown): ConfigVersion {
  if (typeof json !== 'object' || json === null) throw new TypeError('expected an object');
  const { place, version, author, atMs, comment, action, values, gray } = json as Readonly<
    Record<string, unknown>
  >;
  if (typeof place !== 'string') throw new TypeError('place: expected text');
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    throw new TypeError('version: expected a whole number from 1 on');
  if (typeof atMs !== 'number' || !Number.isFinite(atMs)) throw new TypeError('atMs: expected a number');
  const known = actions.find((one) => one === action);
  if (known === undefined) throw new TypeError(`action: expected one of ${actions.join(', ')}`);
  checkWords(author, comment);
  checkValues(values);
  return {
    place: readPlace(place),
    version,
    author: author as string,
    atMs,
    comment: comment as string,
    action: known,
    values,
    ...(gray !== undefined && { gray: grayOf(gray) }),
  };
}

/** Throws `invalid_argument` / `BAD_CHANGE` unless these are words about a change. */
export function checkWords(author: unknown, comment: unknown): void {
  const problems: string[] = [];
  if (typeof author !== 'string' || author.trim() === '' || author.length > 200)
    problems.push('author: expected 1 to 200 characters');
  if (typeof comment !== 'string' || comment.length > 1000)
    problems.push('comment: expected at most 1000 characters');
  if (problems.length === 0) return;
  const message = `the change: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_CHANGE', message, sent: false });
}

function grayOf(json: unknown): Gray {
  if (typeof json !== 'object' || json === null) throw new TypeError('gray: expected an object');
  const { audience, values } = json as Readonly<Record<string, unknown>>;
  checkValues(values);
  return { audience: readAudience(audience), values };
}
