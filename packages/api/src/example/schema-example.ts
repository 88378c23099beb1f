import {
  dereferenced,
  isObject,
  type Json,
  type JsonObject,
  listOr,
  objectOr,
  textOr,
} from '../contract/json.ts';

const deepest = 6;

/**
 * A value that a schema takes: its example if it has one, else the plainest that its keywords allow. A `pattern` is kept
 * to by an example or a default alone.
 */
export function schemaExample(document: JsonObject, schema: unknown, depth = 0): Json {
  const found = dereferenced(document, schema) ?? {};
  const given = givenIn(found);
  if (given !== undefined) return given;
  const parts = listOr(found['allOf']);
  if (parts.length > 0) return merged([{ ...found, allOf: undefined }, ...parts], document, depth);
  const [alternative] = [...listOr(found['oneOf']), ...listOr(found['anyOf'])];
  if (alternative !== undefined) return schemaExample(document, alternative, depth + 1);
  return plainest(document, found, depth);
}

function givenIn({
  example,
  examples,
  default: fallback,
  const: only,
  enum: values,
}: JsonObject): Json | undefined {
  const [first] = listOr(examples);
  const [value] = listOr(values);
  return example ?? first ?? only ?? value ?? fallback;
}

function merged(parts: readonly unknown[], document: JsonObject, depth: number): Json {
  const values = parts.map((part) => schemaExample(document, part, depth + 1)).filter(isObject);
  return Object.assign({}, ...values) as JsonObject;
}

function plainest(document: JsonObject, schema: JsonObject, depth: number): Json {
  switch (typeIn(schema)) {
    case 'object':
      return objectExample(document, schema, depth);
    case 'array': {
      const count = Math.max(1, numberOr(schema['minItems'], 0));
      return depth > deepest
        ? []
        : Array.from({ length: count }, () => schemaExample(document, schema['items'], depth + 1));
    }
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

function typeIn({ type, properties, items }: JsonObject): string {
  const [first] = Array.isArray(type) ? type.filter((one) => one !== 'null') : [type];
  if (typeof first === 'string') return first;
  if (properties !== undefined) return 'object';
  return items === undefined ? 'string' : 'array';
}

function objectExample(document: JsonObject, schema: JsonObject, depth: number): JsonObject {
  const required = listOr(schema['required']);
  // A schema that contains itself is cut off where that is allowed.
  const members = Object.entries(objectOr(schema['properties'])).filter(
    ([name]) => depth < deepest || required.includes(name),
  );
  return Object.fromEntries(
    members.map(([name, inner]) => [name, schemaExample(document, inner, depth + 1)]),
  );
}

function numberExample(schema: JsonObject): number {
  const least = numberOr(schema['minimum'], numberOr(schema['exclusiveMinimum'], 0) + 1);
  const most = numberOr(schema['maximum'], Number.POSITIVE_INFINITY);
  const step = numberOr(schema['multipleOf'], 1);
  return Math.min(Math.ceil(least / step) * step, most);
}

const formats: Readonly<Record<string, string>> = {
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  email: 'ada@example.com',
  uuid: '3f0c7f2e-8b1a-4c3d-9e5f-6a7b8c9d0e1f',
  uri: 'https://example.com/',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
};

function textExample(schema: JsonObject): string {
  const text = formats[textOr(schema['format'])] ?? 'text';
  const least = numberOr(schema['minLength'], 0);
  return text.padEnd(least, 'x').slice(0, Math.max(least, numberOr(schema['maxLength'], text.length)));
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
