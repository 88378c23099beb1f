import { type JsonObject, listOr, objectOr, pointed } from './json.ts';

/**
 * Whether a schema, named by its reference, is made of another one: by references, `allOf` and alternatives, with no
 * member between. `by`: by any of them, or by all but `allOf`.
 */
export function isMadeOf(
  document: JsonObject,
  from: string,
  other: string,
  by: 'any' | 'alternatives',
): boolean {
  return leadsTo(document, from, other, by, new Set());
}

function leadsTo(
  document: JsonObject,
  from: string,
  other: string,
  by: 'any' | 'alternatives',
  seen: Set<string>,
): boolean {
  if (from === other) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return partsOf(pointed(document, from), by).some((next) => leadsTo(document, next, other, by, seen));
}

function partsOf(schema: unknown, by: 'any' | 'alternatives'): readonly string[] {
  const { $ref: reference, oneOf, anyOf, allOf } = objectOr(schema);
  if (typeof reference === 'string') return [reference];
  const all = by === 'any' ? [oneOf, anyOf, allOf] : [oneOf, anyOf];
  return all.flatMap((parts) => listOr(parts).flatMap((part) => partsOf(part, by)));
}

/** A schema without its alternatives: what the base of an inheritance that lists its heirs gives to each of them. */
export function withoutAlternatives(schema: unknown): JsonObject {
  const { oneOf: _, anyOf: __, ...rest } = objectOr(schema);
  return rest;
}
