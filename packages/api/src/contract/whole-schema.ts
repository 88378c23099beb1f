import { dereferenced, type Json, type JsonObject, listOr, objectOr, textOr } from './json.ts';
import { isMadeOf, withoutAlternatives } from './made-of.ts';

const deepest = 20;

/**
 * A schema with what it refers to and all of its `allOf` in one, and its bounds as JSON Schema 2020-12 has them. `true`
 * and what cannot be found are anything.
 */
export function wholeSchema(document: JsonObject, schema: unknown, depth = 0): JsonObject {
  const found = bounded(dereferenced(document, schema) ?? {});
  const parts = listOr(found['allOf']);
  if (parts.length === 0 || depth > deepest) return found;
  const own = textOr(objectOr(schema)['$ref']);
  const all = [...parts.map((part) => wholePart(document, part, own, depth + 1)), found];
  const properties = Object.assign({}, ...all.map((one) => objectOr(one['properties']))) as JsonObject;
  const required = [...new Set(all.flatMap((one) => listOr(one['required'])))];
  return {
    ...Object.assign({}, ...all),
    allOf: undefined,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  };
}

/** The base of an inheritance that lists its heirs gives them all but that list. */
function wholePart(document: JsonObject, part: unknown, heir: string, depth: number): JsonObject {
  const whole = wholeSchema(document, part, depth);
  const base = textOr(objectOr(part)['$ref']);
  const isCircular = heir !== '' && base !== '' && isMadeOf(document, base, heir, 'any');
  return isCircular ? withoutAlternatives(whole) : whole;
}

/** In OpenAPI 3.0 a bound is made exclusive by a word beside it. */
export function bounded(schema: JsonObject): JsonObject {
  const bounds = [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const;
  let whole = schema;
  for (const [exclusive, plainly] of bounds) {
    if (typeof whole[exclusive] !== 'boolean') continue;
    const { [plainly]: bound, [exclusive]: isExclusive, ...rest } = whole;
    if (bound === undefined) whole = rest;
    else whole = { ...rest, [isExclusive === true ? exclusive : plainly]: bound satisfies Json };
  }
  return whole;
}
