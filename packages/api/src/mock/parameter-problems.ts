import type { Fields } from '@heddle/wire';
import { isObject, type JsonObject, listOr, objectOr, textOr } from '../contract/json.ts';
import type { SchemaCheck } from '../contract/schema-check.ts';
import { wholeSchema } from '../contract/whole-schema.ts';
import type { HttpOperationIn } from '../operation/operation.ts';
import type { PathValues } from '../operation/path-values.ts';

/** What is wrong with the parameters of a request, a sentence each. */
export function parameterProblems(
  document: JsonObject,
  { parameters }: HttpOperationIn,
  path: PathValues,
  query: URLSearchParams,
  fields: Fields,
  check: SchemaCheck,
): string[] {
  return parameters.flatMap((parameter) => {
    const [name, place] = [textOr(parameter['name']), textOr(parameter['in'])];
    const schema = objectOr(parameter['schema']);
    const found = valueOf(document, parameter, { path, query, fields });
    if (found === undefined) return parameter['required'] === true ? [`${place} ${name}: is missing`] : [];
    return check(schema, found.value, 'request').map((problem) => `${place} ${name}: ${problem}`);
  });
}

interface Given {
  readonly path: PathValues;
  readonly query: URLSearchParams;
  readonly fields: Fields;
}

/** What is given for a parameter; undefined for nothing. Styles that are not read are taken as they come. */
function valueOf(
  document: JsonObject,
  parameter: JsonObject,
  given: Given,
): { readonly value: unknown } | undefined {
  const schema = wholeSchema(document, parameter['schema']);
  const [name, place] = [textOr(parameter['name']), textOr(parameter['in'])];
  if (place === 'query' && parameter['style'] === 'deepObject')
    return deepValue(document, name, schema, given.query);
  const texts = textsOf(place, name, given);
  if (texts.length === 0)
    return place === 'query' ? formValue(document, parameter, schema, given.query) : undefined;
  if (isObject(parameter['content'])) return { value: parsed(texts[0] ?? '') };
  return { value: typed(document, texts, schema) };
}

/** `filter[name]=a&filter[size]=2`. */
function deepValue(
  document: JsonObject,
  name: string,
  schema: JsonObject,
  query: URLSearchParams,
): { value: unknown } | undefined {
  const members = [...query].filter(([key]) => key.startsWith(`${name}[`) && key.endsWith(']'));
  if (members.length === 0) return undefined;
  const value = members.map(([key, text]) => {
    const member = key.slice(name.length + 1, -1);
    return [member, typed(document, [text], objectOr(schema['properties'])[member])];
  });
  return { value: Object.fromEntries(value) as unknown };
}

/** An object whose members are parameters of the query themselves. */
function formValue(
  document: JsonObject,
  { explode }: JsonObject,
  schema: JsonObject,
  query: URLSearchParams,
): { value: unknown } | undefined {
  const properties = objectOr(schema['properties']);
  const members = Object.keys(properties).filter((name) => query.has(name));
  if (explode === false || members.length === 0) return undefined;
  return {
    value: Object.fromEntries(
      members.map((name) => [name, typed(document, query.getAll(name), properties[name])]),
    ),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textsOf(place: string, name: string, { path, query, fields }: Given): readonly string[] {
  if (place === 'path') return path[name] === undefined ? [] : [path[name]];
  if (place === 'query') return [...query.getAll(name), ...query.getAll(`${name}[]`)];
  if (place === 'cookie') {
    const cookies = (fields.get('cookie') ?? '').split(';').map((one) => one.trim().split('='));
    return cookies.filter(([key]) => key === name).map(([, ...value]) => value.join('='));
  }
  const value = place === 'header' ? fields.get(name.toLowerCase()) : undefined;
  return value === undefined ? [] : [value];
}

/** Text as what the schema is of: everything in a URL is text. */
function typed(document: JsonObject, values: readonly string[], given: unknown): unknown {
  const schema = wholeSchema(document, given);
  const types = typesIn(document, schema);
  if (types.includes('array')) {
    const all = values.length > 1 ? values : (values[0] ?? '').split(/[,|]| /);
    return all.map((one) => typed(document, [one], schema['items']));
  }
  const [text = ''] = values;
  const isNumber = types.includes('integer') || types.includes('number');
  if (isNumber && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true';
  if (types.includes('object')) return parsed(text);
  return text;
}

/** Of the schema, or of its alternatives. */
function typesIn(document: JsonObject, schema: JsonObject, depth = 0): readonly unknown[] {
  const own = [schema['type']].flat();
  const alternatives = [...listOr(schema['oneOf']), ...listOr(schema['anyOf'])];
  if (depth > 5) return own;
  return [...own, ...alternatives.flatMap((one) => typesIn(document, wholeSchema(document, one), depth + 1))];
}
