import {
  canonical,
  isObject,
  type Json,
  type JsonObject,
  listOr,
  objectOr,
  objectsIn,
  textOr,
} from '../contract/json.ts';
import { discriminatorValues, type SchemaSide } from '../contract/plain-schema.ts';
import { wholeSchema } from '../contract/whole-schema.ts';
import { patternExample } from './pattern-example.ts';

/** Deeper than that only what is required has a place, and deeper than `bottom` nothing has. */
const deepest = 6;
const bottom = 24;
/** Where a schema cannot but contain itself. */
const ends: Readonly<Record<string, Json>> = { object: {}, array: [] };
/** Bounds what an example of a schema with hundreds of members, each with hundreds, costs. */
const mostValues = 1000;

interface World {
  readonly document: JsonObject;
  readonly side: SchemaSide | undefined;
  left: number;
}

/**
 * A value that a schema takes: its example if it has one, else the plainest that its keywords allow. `side`: without what
 * the other side writes (`readOnly`, `writeOnly`).
 */
export function schemaExample(document: JsonObject, schema: unknown, side?: SchemaSide): Json {
  return exampleOf(schema, { document, side, left: mostValues }, 0);
}

function exampleOf(given: unknown, world: World, depth: number): Json {
  world.left -= 1;
  const schema = wholeSchema(world.document, given);
  const shown = shownIn(schema);
  if (shown !== undefined) return shown;
  if (depth > bottom) return ends[typeIn(schema)] ?? plainest(schema, world, depth);
  const [alternative] = [...listOr(schema['oneOf']), ...listOr(schema['anyOf'])].toSorted(
    (a, b) => Number(isNothing(a)) - Number(isNothing(b)),
  );
  if (alternative === undefined) return plainest(schema, world, depth);
  const chosen = exampleOf(alternative, world, depth + 1);
  if (!isObject(chosen)) return chosen;
  return { ...objectExample(schema, world, depth), ...chosen, ...discriminated(schema, alternative) };
}

/** `null` is an alternative too, and a poor example. */
function isNothing(schema: unknown): boolean {
  return isObject(schema) && schema['type'] === 'null';
}

/** The member that tells alternatives apart. */
function discriminated({ discriminator }: JsonObject, alternative: unknown): JsonObject {
  const { propertyName, mapping } = objectOr(discriminator);
  const reference = textOr(objectOr(alternative)['$ref']);
  if (typeof propertyName !== 'string' || reference === '') return {};
  return { [propertyName]: discriminatorValues(reference, mapping)[0] };
}

/** What the schema says itself, if it fits: examples that do not are a slip of whoever wrote the document. */
function shownIn(schema: JsonObject): Json | undefined {
  const { example, examples, default: fallback, const: only, enum: values } = schema;
  if (only !== undefined) return only;
  const shown = [example, ...listOr(examples), ...listOr(values), fallback];
  return shown.find((one) => one !== undefined && isLikely(one, schema));
}

function isLikely(value: Json, { type, enum: values, nullable }: JsonObject): boolean {
  if (Array.isArray(values) && !values.some((one) => canonical(one) === canonical(value))) return false;
  const types = [type].flat();
  if (type === undefined) return value !== null;
  if (value === null) return types.includes('null') || nullable === true;
  if (Array.isArray(value)) return types.includes('array');
  if (typeof value === 'number')
    return types.includes('number') || (types.includes('integer') && Number.isInteger(value));
  return types.includes(typeof value);
}

function plainest(schema: JsonObject, world: World, depth: number): Json {
  switch (typeIn(schema)) {
    case 'object':
      return objectExample(schema, world, depth);
    case 'array':
      return arrayExample(schema, world, depth);
    case 'integer':
    case 'number':
      return numberExample(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return textExample(schema);
  }
}

function typeIn({
  type,
  properties,
  additionalProperties,
  items,
  prefixItems,
  minimum,
  maximum,
}: JsonObject): string {
  const [first] = Array.isArray(type) ? type.filter((one) => one !== 'null') : [type];
  if (typeof first === 'string') return first;
  if (Array.isArray(type) && type.length > 0) return 'null';
  if (properties !== undefined || additionalProperties !== undefined) return 'object';
  if (items !== undefined || prefixItems !== undefined) return 'array';
  return minimum === undefined && maximum === undefined ? 'string' : 'number';
}

function arrayExample(schema: JsonObject, world: World, depth: number): Json {
  const first = listOr(schema['prefixItems']).map((one) => exampleOf(one, world, depth + 1));
  const least = numberOr(schema['minItems'], 0);
  const wanted = depth > deepest || world.left <= 0 ? least : Math.max(1, least);
  const count = Math.min(wanted, numberOr(schema['maxItems'], wanted)) - first.length;
  if (count <= 0 || (first.length > 0 && schema['items'] === undefined)) return first;
  const item = exampleOf(schema['items'], world, depth + 1);
  const all = Array.from({ length: Math.min(count, 100) }, (_, at) =>
    at > 0 && schema['uniqueItems'] === true
      ? another(wholeSchema(world.document, schema['items']), item, at)
      : item,
  );
  return [...first, ...all];
}

/** A value of the same kind that was not there yet. */
function another(schema: JsonObject, value: Json, at: number): Json {
  const values = listOr(schema['enum']);
  if (values.length > at) return values[at] ?? null;
  if (typeof value === 'number') return value + at * numberOr(schema['multipleOf'], 1);
  return typeof value === 'string' ? `${value}${at}` : value;
}

function objectExample(schema: JsonObject, world: World, depth: number): JsonObject {
  const required = listOr(schema['required']);
  const others = world.side === 'request' ? 'readOnly' : 'writeOnly';
  const made: Record<string, Json> = {};
  for (const [name, inner] of Object.entries(objectOr(schema['properties']))) {
    // A schema that contains itself is cut off where that is allowed.
    if ((depth >= deepest || world.left <= 0) && !required.includes(name)) continue;
    if (world.side !== undefined && wholeSchema(world.document, inner)[others] === true) continue;
    if (inner !== false) made[name] = exampleOf(inner, world, depth + 1);
  }
  const further = schema['additionalProperties'];
  for (const name of required)
    if (typeof name === 'string' && !(name in made) && objectOr(schema['properties'])[name] === undefined)
      made[name] = exampleOf(further, world, depth + 1);
  const least = numberOr(schema['minProperties'], isObject(further) && depth < deepest ? 1 : 0);
  for (let at = 1; Object.keys(made).length < least && further !== false && at <= 100; at++)
    made[`key${at}`] = exampleOf(further, world, depth + 1);
  return made;
}

function numberExample(schema: JsonObject): number {
  const isWhole = typeIn(schema) === 'integer';
  const step = numberOr(schema['multipleOf'], isWhole ? 1 : 0);
  const above = numberOr(schema['exclusiveMinimum'], Number.NEGATIVE_INFINITY);
  const below = numberOr(schema['exclusiveMaximum'], Number.POSITIVE_INFINITY);
  const [least, most] = [
    numberOr(schema['minimum'], Number.NEGATIVE_INFINITY),
    numberOr(schema['maximum'], Number.POSITIVE_INFINITY),
  ];
  const fits = (value: number): boolean => value >= least && value <= most && value > above && value < below;
  const grid = step || 1;
  const up = Math.ceil(Math.max(least, above) / grid) * grid;
  const down = Math.floor(Math.min(most, below) / grid) * grid;
  const between = (Math.max(least, above) + Math.min(most, below)) / 2;
  return [grid, 0, up, up + grid, down, down - grid, between].find(fits) ?? 0;
}

const formats: Readonly<Record<string, string>> = {
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  duration: 'P1D',
  email: 'ada@example.com',
  'idn-email': 'ada@example.com',
  uuid: '3f0c7f2e-8b1a-4c3d-9e5f-6a7b8c9d0e1f',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  iri: 'https://example.com/',
  'uri-reference': '/path',
  'uri-template': '/{name}',
  'json-pointer': '/name',
  'relative-json-pointer': '0',
  regex: '.*',
  byte: 'dGV4dA==',
  hostname: 'example.com',
  'idn-hostname': 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
};

function textExample(schema: JsonObject): string {
  const least = numberOr(schema['minLength'], 0);
  const most = numberOr(schema['maxLength'], Number.POSITIVE_INFINITY);
  const { pattern } = schema;
  const fitting = typeof pattern === 'string' ? patternExample(pattern, least, most) : undefined;
  if (fitting !== undefined) return fitting;
  const text = formats[textOr(schema['format'])] ?? 'text';
  return text.padEnd(least, 'x').slice(0, Math.max(least, Math.min(most, Math.max(text.length, least))));
}

/** What a media type says as an example, or one of its schema. */
export function exampleIn(document: JsonObject, media: JsonObject, side?: SchemaSide): Json {
  if (media['example'] !== undefined) return media['example'];
  for (const [, named] of objectsIn(media['examples'])) {
    const { value } = wholeSchema(document, named);
    if (value !== undefined) return value;
  }
  return schemaExample(document, media['schema'], side);
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
