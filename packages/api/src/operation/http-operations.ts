import { dereferenced, isObject, type JsonObject, listOr, objectsIn, textOr } from '../contract/json.ts';
import type { HttpOperationIn } from './operation.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
/** Parameters of the header that OpenAPI says are no parameters: others say what goes there. */
const spokenFor = ['accept', 'content-type', 'authorization'];

/** Those of an OpenAPI document. */
export function httpOperations(document: JsonObject | undefined): readonly HttpOperationIn[] {
  if (document === undefined) return [];
  const names = new Set<string>();
  return objectsIn(document['paths']).flatMap(([path, given]) => {
    const item = { ...dereferenced(document, given), ...withoutReference(given) };
    const shared = parametersIn(document, item['parameters']);
    return objectsIn(item)
      .filter(([method]) => methods.includes(method))
      .map(([method, operation]) => operationOf(document, method, path, operation, shared, names));
  });
}

function operationOf(
  document: JsonObject,
  method: string,
  path: string,
  operation: JsonObject,
  shared: readonly JsonObject[],
  names: Set<string>,
): HttpOperationIn {
  const own = parametersIn(document, operation['parameters']);
  const isOwn = (one: JsonObject): boolean =>
    own.some((other) => other['name'] === one['name'] && other['in'] === one['in']);
  const named = textOr(operation['operationId']) || `${method}${path.replaceAll(/[^A-Za-z0-9]+/g, '_')}`;
  return {
    kind: 'http',
    id: `${method.toUpperCase()} ${path}`,
    summary: textOr(operation['summary']) || textOr(operation['description']),
    method: method.toUpperCase(),
    path,
    name: unique(named, names),
    parameters: [...shared.filter((one) => !isOwn(one)), ...own],
    body: dereferenced(document, operation['requestBody']),
    answers: objectsIn(operation['responses'])
      .map(([status, answer]) => [status.toUpperCase(), dereferenced(document, answer) ?? {}] as const)
      .map(([status, answer]) => [status === 'DEFAULT' ? 'default' : status, answer] as const),
    security: securityIn(operation['security'] ?? document['security']),
  };
}

/** The name, or the name with a number: identifiers of operations are sometimes given twice. */
export function unique(name: string, taken: Set<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}_${number}`;
  taken.add(free);
  return free;
}

function withoutReference({ $ref: _, ...rest }: JsonObject): JsonObject {
  return rest;
}

function parametersIn(document: JsonObject, value: unknown): readonly JsonObject[] {
  return listOr(value)
    .map((one) => dereferenced(document, one))
    .filter((one) => one !== undefined)
    .filter((one) => one['in'] !== 'header' || !spokenFor.includes(textOr(one['name']).toLowerCase()))
    .map((one) => {
      const [[, media] = ['', undefined]] = objectsIn(one['content']);
      // A parameter with a media type is a text in that type's writing.
      return isObject(one['schema']) || media === undefined ? one : { ...one, schema: media['schema'] };
    });
}

function securityIn(value: unknown): readonly (readonly string[])[] {
  const ways = listOr(value).map((way) =>
    objectsOrLists(way).flatMap(([scheme, scopes]) => [
      scheme,
      ...scopes.map((scope) => `${scheme}:${scope}`),
    ]),
  );
  return ways.some((way) => way.length === 0) ? [] : ways;
}

function objectsOrLists(way: unknown): readonly (readonly [string, readonly string[]])[] {
  return isObject(way) ? Object.entries(way).map(([name, scopes]) => [name, listOr(scopes).map(String)]) : [];
}
