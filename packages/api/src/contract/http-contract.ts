import { badContract, type JsonObject } from './json.ts';
import { jsonSchemaOf, type SchemaLike } from './schema.ts';

/** A parameter of the path, the query or the header. */
export interface HttpParameter {
  readonly schema: SchemaLike;
  readonly description?: string;
  /** Default false; parameters of the path always are. */
  readonly required?: boolean;
  readonly example?: JsonObject[string];
}

/** An answer, by its status. */
export interface HttpAnswer {
  readonly description: string;
  /** Missing: no content. */
  readonly schema?: SchemaLike;
  /** Default `application/json`. */
  readonly mediaType?: string;
  readonly example?: JsonObject[string];
}

/** One method of one path. */
export interface HttpOperation {
  readonly summary: string;
  readonly description?: string;
  /** For clients: a name in camelCase. Default: made of method and path. */
  readonly name?: string;
  /** Of the path, by name. Default of each: text. */
  readonly path?: Readonly<Record<string, HttpParameter>>;
  readonly query?: Readonly<Record<string, HttpParameter>>;
  readonly headers?: Readonly<Record<string, HttpParameter>>;
  readonly body?: {
    readonly schema: SchemaLike;
    readonly required?: boolean;
    readonly example?: JsonObject[string];
  };
  /** By status, or `default`. At least one. */
  readonly answers: Readonly<Record<string, HttpAnswer>>;
}

/** What a service serves over HTTP. */
export interface HttpContractInit {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  /** By method and path, as in `GET /orders/{orderId}`. */
  readonly operations: Readonly<Record<string, HttpOperation>>;
  /** Schemas that others refer to as `{ $ref: '#/components/schemas/<name>' }`. */
  readonly schemas?: Readonly<Record<string, SchemaLike>>;
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** The OpenAPI 3.1 document of an HTTP contract. Throws `BAD_CONTRACT` with all that is wrong. */
export function httpContract({
  title,
  version,
  description,
  operations,
  schemas = {},
}: HttpContractInit): JsonObject {
  const problems: string[] = [];
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [key, operation] of Object.entries(operations)) {
    const [method = '', path = '', ...more] = key.split(' ');
    if (!methods.includes(method.toLowerCase()) || !path.startsWith('/') || more.length > 0)
      problems.push(`"${key}": expected a method and a path, as in "GET /orders/{orderId}"`);
    else if (Object.keys(operation.answers).length === 0)
      problems.push(`"${key}": expected at least one answer`);
    else (paths[path] ??= {})[method.toLowerCase()] = operationOf(method, path, operation);
  }
  if (problems.length > 0) throw badContract(`the HTTP contract "${title}"`, problems);
  return {
    openapi: '3.1.0',
    info: { title, version, ...(description !== undefined && { description }) },
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => [name, jsonSchemaOf(schema, 'output')]),
      ),
    },
  };
}

function operationOf(method: string, path: string, operation: HttpOperation): JsonObject {
  const { summary, description, name, query = {}, headers = {}, body, answers } = operation;
  const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map(([, one = '']): [string, HttpParameter] => [
    one,
    operation.path?.[one] ?? { schema: { type: 'string' } },
  ]);
  const parameters = [
    ...inPath.map(([one, parameter]) => parameterOf('path', one, { ...parameter, required: true })),
    ...Object.entries(query).map(([one, parameter]) => parameterOf('query', one, parameter)),
    ...Object.entries(headers).map(([one, parameter]) => parameterOf('header', one, parameter)),
  ];
  return {
    operationId: name ?? operationName(method, path),
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: body.required ?? true,
        content: { 'application/json': contentOf(jsonSchemaOf(body.schema, 'input'), body.example) },
      },
    }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)]),
    ),
  };
}

function parameterOf(place: string, name: string, parameter: HttpParameter): JsonObject {
  const { schema, description, required = false, example } = parameter;
  return {
    name,
    in: place,
    required,
    ...(description !== undefined && { description }),
    schema: jsonSchemaOf(schema, 'input'),
    ...(example !== undefined && { example }),
  };
}

function answerOf({ description, schema, mediaType = 'application/json', example }: HttpAnswer): JsonObject {
  if (schema === undefined) return { description };
  return { description, content: { [mediaType]: contentOf(jsonSchemaOf(schema, 'output'), example) } };
}

function contentOf(schema: JsonObject, example: JsonObject[string]): JsonObject {
  return { schema, ...(example !== undefined && { example }) };
}

/** `GET /orders/{orderId}` is `getOrdersByOrderId`. */
export function operationName(method: string, path: string): string {
  const words = path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('{') ? `By${capital(part.slice(1, -1))}` : capital(part)));
  return method.toLowerCase() + words.join('');
}

function capital(text: string): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
