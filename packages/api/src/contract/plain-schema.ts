import { isMadeOf, withoutAlternatives } from './made-of.ts';
import { bounded } from './whole-schema.ts';
import { type Json, type JsonObject, isObject, listOr, pointed, textOr } from './json.ts';

/** Who writes what a schema is of: the one who asks (`request`) or the one who answers (`response`). */
export type SchemaSide = 'request' | 'response';

/** Keywords that say nothing of which values are taken, or that other dialects of JSON Schema read otherwise. */
const silent = [
  'id',
  '$id',
  '$schema',
  '$anchor',
  '$comment',
  'nullable',
  'discriminator',
  'xml',
  'externalDocs',
];
const silentToo = [
  'example',
  'examples',
  'default',
  'deprecated',
  'title',
  'description',
  'readOnly',
  'writeOnly',
];
const left = new Set([...silent, ...silentToo]);

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const single = ['items', 'additionalProperties', 'not', 'contains', 'propertyNames', 'if', 'then', 'else'];
const furtherSingle = ['unevaluatedItems', 'unevaluatedProperties', 'additionalItems', 'contentSchema'];
const singles = new Set([...single, ...furtherSingle]);
const lists = new Set(['allOf', 'oneOf', 'anyOf', 'prefixItems']);
const maps = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']);

/**
 * A schema of a document, of OpenAPI 3.0 or 3.1 or of AsyncAPI, as JSON Schema 2020-12 that stands by itself: what it
 * refers to is in its `$defs`, and a reference that leads nowhere takes anything. `side`: what the other side writes
 * (`readOnly`, `writeOnly`) is not required of this one.
 */
export function plainSchema(document: JsonObject, schema: unknown, side?: SchemaSide): JsonObject {
  const found = new Map<string, string>();
  const waiting: string[] = [];
  const nameOf = (reference: string): string | undefined => {
    const known = found.get(reference);
    if (known !== undefined) return known;
    if (pointed(document, reference) === undefined) return undefined;
    const name = `d${found.size}`;
    found.set(reference, name);
    waiting.push(reference);
    return name;
  };
  const root = plain(schema, { document, side, nameOf, within: undefined });
  const definitions: Record<string, Json> = {};
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    definitions[found.get(next) ?? ''] = plain(pointed(document, next), {
      document,
      side,
      nameOf,
      within: next,
    });
  const whole = isObject(root) ? root : root === false ? { not: {} } : {};
  return found.size === 0 ? whole : { ...whole, $defs: definitions };
}

interface World {
  readonly document: JsonObject;
  readonly side: SchemaSide | undefined;
  readonly nameOf: (reference: string) => string | undefined;
  /** What the schema at hand is part of, with no member between: it may not be made of itself. */
  readonly within: string | undefined;
}

function plain(schema: unknown, world: World): JsonObject | boolean {
  if (!isObject(schema)) return schema !== false;
  const made: Record<string, Json | undefined> = {};
  for (const [keyword, value] of Object.entries(bounded(schema))) {
    if (left.has(keyword) || value === undefined) continue;
    if (keyword === '$ref') Object.assign(made, referred(textOr(value), 'alternatives', world));
    else if (keyword === 'oneOf' && Array.isArray(value))
      Object.assign(made, alternatives(schema, value, world));
    else if (keyword === 'allOf') made[keyword] = listOr(value).map((one) => partOf(one, world));
    else if (singles.has(keyword)) made[keyword] = Array.isArray(value) ? true : plain(value, inside(world));
    else if (lists.has(keyword)) made[keyword] = listOr(value).map((one) => plain(one, world));
    else if (maps.has(keyword)) made[keyword] = plainMap(value, inside(world));
    else if (keyword === 'pattern' ? isPattern(value) : fits(keyword, value)) made[keyword] = value;
  }
  return nullable(schema, required(schema, made, world));
}

function inside(world: World): World {
  return { ...world, within: undefined };
}

function partOf(schema: Json, world: World): Json {
  const reference = isObject(schema) ? schema['$ref'] : undefined;
  return typeof reference === 'string' ? referred(reference, 'any', world) : plain(schema, world);
}

/** A reference, or in its place what can be said without a circle. */
function referred(reference: string, by: 'any' | 'alternatives', world: World): JsonObject {
  const { document, within } = world;
  if (within !== undefined && isMadeOf(document, reference, within, by)) {
    if (by === 'alternatives') return {};
    const rest = plain(withoutAlternatives(pointed(document, reference)), { ...world, within: reference });
    return isObject(rest) ? rest : {};
  }
  const name = world.nameOf(reference);
  return name === undefined ? {} : { $ref: `#/$defs/${name}` };
}

/**
 * Documents mostly write `oneOf` where alternatives overlap, as all with optional members do: of what is taken in, one
 * that fits is enough. A discriminator says which.
 */
function alternatives(schema: JsonObject, given: readonly Json[], world: World): JsonObject {
  const { propertyName, mapping } = isObject(schema['discriminator']) ? schema['discriminator'] : {};
  const named = given.map((one) => (isObject(one) ? textOr(one['$ref']) : ''));
  const made = given.map((one, at): Json => {
    const reference = named[at] ?? '';
    if (typeof propertyName !== 'string' || named.includes('')) return plain(one, world);
    const values = discriminatorValues(reference, mapping);
    return { allOf: [plain(one, world), { properties: { [propertyName]: { enum: values } } }] };
  });
  const isBoth = world.side === 'request' && schema['anyOf'] === undefined;
  return isBoth ? { anyOf: made } : { oneOf: made };
}

/** What the member that tells alternatives apart has for one of them. */
export function discriminatorValues(reference: string, mapping: unknown): readonly string[] {
  const name = reference.split('/').at(-1) ?? '';
  const mapped = isObject(mapping) ? Object.entries(mapping) : [];
  const values = mapped
    .filter(([, target]) => target === reference || target === name)
    .map(([value]) => value);
  return values.length > 0 ? values : [name];
}

function plainMap(value: unknown, world: World): JsonObject {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one, world)]));
}

function isPattern(value: unknown): boolean {
  try {
    return typeof value === 'string' && new RegExp(value, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

const counts = /^(min|max)(Length|Items|Properties|Contains)$/;
/** Whether a keyword's value is of the kind that JSON Schema wants there; documents have others, such as `type: file`. */
function fits(keyword: string, value: Json): boolean {
  if (counts.test(keyword)) return Number.isInteger(value) && Number(value) >= 0;
  if (/^(exclusive)?(Min|Max)imum$/i.test(keyword)) return typeof value === 'number';
  if (keyword === 'multipleOf') return typeof value === 'number' && value > 0;
  if (keyword === 'type') return [value].flat().every((one) => typeof one === 'string' && types.has(one));
  if (keyword === 'enum') return Array.isArray(value) && value.length > 0;
  if (keyword === 'required') return Array.isArray(value);
  return !keyword.startsWith('x-') && known.has(keyword);
}

const types = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);
const known = new Set([
  'const',
  'format',
  'uniqueItems',
  'dependentRequired',
  'contentEncoding',
  'contentMediaType',
]);

function required(schema: JsonObject, made: JsonObject, { document, side }: World): JsonObject {
  const { required: names, properties } = schema;
  if (side === undefined || !Array.isArray(names) || !isObject(properties)) return made;
  const others = side === 'request' ? 'readOnly' : 'writeOnly';
  const isOthers = (name: string): boolean => {
    const property = properties[name];
    if (!isObject(property)) return false;
    const target = typeof property['$ref'] === 'string' ? pointed(document, property['$ref']) : undefined;
    return property[others] === true || (isObject(target) && target[others] === true);
  };
  return { ...made, required: (names as readonly string[]).filter((name) => !isOthers(name)) };
}

function nullable(schema: JsonObject, made: JsonObject): JsonObject {
  if (schema['nullable'] !== true) return made;
  const { type } = made;
  if (type !== undefined && made['enum'] === undefined && made['const'] === undefined)
    return { ...made, type: [...new Set([...[type].flat(), 'null'])] as Json };
  return { anyOf: [{ type: 'null' }, made] };
}
