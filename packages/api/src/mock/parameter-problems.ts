import type { Fields } from '@heddle/wire';
import { type JsonObject, objectOr, textOr } from '../contract/json.ts';
import type { SchemaCheck } from '../contract/schema-check.ts';
import type { HttpOperationIn } from '../operation/operations.ts';
import type { PathValues } from '../operation/path-values.ts';

/** What is wrong with the parameters of a request, a sentence each. */
export function parameterProblems(
  { parameters }: HttpOperationIn,
  path: PathValues,
  query: URLSearchParams,
  fields: Fields,
  check: SchemaCheck,
): string[] {
  return parameters.flatMap((parameter) => {
    const [name, place] = [textOr(parameter['name']), textOr(parameter['in'])];
    const values = valuesOf(place, name, path, query, fields);
    if (values.length === 0) return parameter['required'] === true ? [`${place} ${name}: is missing`] : [];
    const schema = objectOr(parameter['schema']);
    return check(schema, typed(values, schema)).map((problem) => `${place} ${name}: ${problem}`);
  });
}

function valuesOf(
  place: string,
  name: string,
  path: PathValues,
  query: URLSearchParams,
  fields: Fields,
): readonly string[] {
  if (place === 'path') return path[name] === undefined ? [] : [path[name]];
  if (place === 'query') return query.getAll(name);
  const value = place === 'header' ? fields.get(name.toLowerCase()) : undefined;
  return value === undefined ? [] : [value];
}

/** Text as what the schema is of: everything in a URL is text. */
function typed(values: readonly string[], schema: JsonObject): unknown {
  const types = [schema['type']].flat();
  if (types.includes('array')) {
    const all = values.length > 1 ? values : (values[0] ?? '').split(',');
    return all.map((one) => typed([one], objectOr(schema['items'])));
  }
  const [text = ''] = values;
  if ((types.includes('integer') || types.includes('number')) && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text))
    return Number(text);
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true';
  return text;
}
