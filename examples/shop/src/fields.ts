import { HeddleError } from '@heddle/kernel';

/** What came in as JSON and is to be an object. Each reader names the field and says what was expected. */
export type Json = Readonly<Record<string, unknown>>;

/** The value as an object. `where` is for the message, e.g. `the body` or `items[2]`. */
export function objectOf(value: unknown, where: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw invalid(`${where} must be an object`);
}

/** A list of 1 to `most` values. */
export function listOf(from: Json, name: string, most: number): readonly unknown[] {
  const value = from[name];
  if (Array.isArray(value) && value.length >= 1 && value.length <= most) return value;
  throw invalid(`${name} must be a list of 1 to ${most} values`);
}

/** A text of 1 to `most` characters, trimmed. */
export function textOf(from: Json, name: string, most: number): string {
  const value = from[name];
  const text = typeof value === 'string' ? value.trim() : '';
  if (text.length >= 1 && text.length <= most) return text;
  throw invalid(`${name} must be a text of 1 to ${most} characters`);
}

/** A whole number from `least` to `most`. */
export function integerOf(from: Json, name: string, least: number, most: number): number {
  const value = from[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(`${name} must be a whole number from ${least} to ${most}`);
}

/** `invalid_argument` / `INVALID_FIELD`. */
export function invalid(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'INVALID_FIELD', message });
}

/** The business says no, and would say so again: `failed_precondition` with the reason. */
export function refused(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'failed_precondition', reason, message });
}

/** `not_found` with the reason. */
export function notFound(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'not_found', reason, message });
}
