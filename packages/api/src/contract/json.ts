import { HeddleError } from '@heddle/kernel';

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** The value as an object; an empty one for anything else. */
export function objectOr(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** True for an object that is no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of an object that are objects themselves. */
export function objectsIn(value: unknown): readonly (readonly [name: string, value: JsonObject])[] {
  return Object.entries(objectOr(value)).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
}

/** The list, or an empty one. */
export function listOr(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The text, or an empty one. */
export function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * What a `$ref` within the document leads to (RFC 6901), or the value itself if it has none. Undefined for a reference
 * to nothing, in a circle, or to another document.
 */
export function dereferenced(document: JsonObject, value: unknown): JsonObject | undefined {
  let at = value;
  for (let steps = 0; isObject(at) && typeof at['$ref'] === 'string'; steps++) {
    if (steps > 50) return undefined;
    at = pointed(document, at['$ref']);
  }
  return isObject(at) ? at : undefined;
}

/** What a reference of a document leads to, within it (RFC 6901); undefined for nothing and for another document. */
export function pointed(document: JsonObject, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let at: unknown = document;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = unescaped(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at;
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** As JSON with the members of objects in order, so that equal values are equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (!isObject(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** `invalid_argument` / `BAD_CONTRACT` with all that is wrong. */
export function badContract(what: string, problems: readonly string[]): HeddleError {
  const message = `${what}: ${problems.slice(0, 20).join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_CONTRACT', message, sent: false });
}
