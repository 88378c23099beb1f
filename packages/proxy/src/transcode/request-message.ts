import {
  create,
  type DescField,
  type JsonObject,
  type JsonValue,
  mergeFromJson,
  type Registry,
  toBinary,
} from '@bufbuild/protobuf';
import { HeddleError } from '@heddle/kernel';
import { type Binding, fieldAt } from './descriptors.ts';

/** What an HTTP request says, taken apart. */
export interface Said {
  /** By the path. */
  readonly variables: readonly { readonly field: readonly string[]; readonly value: string }[];
  readonly query: URLSearchParams;
  /** The content as JSON; undefined where there is none. */
  readonly content: JsonValue | undefined;
}

/**
 * The message that a request means, serialized: the content, then the query, then the path, which has the last word.
 * Throws `invalid_argument` / `BAD_REQUEST`, which names the field: unknown parameters are mistakes.
 */
export function requestMessage({ method, body }: Binding, said: Said, registry: Registry): Uint8Array {
  const { variables, query, content } = said;
  const schema = method.input;
  if (body === undefined && content !== undefined) throw bad('this method takes no content');
  if (body === 'all' && query.size > 0) throw bad('this method takes its content only, and no query');
  const message = create(schema);
  const put = (json: JsonValue | undefined, what: string): void => {
    if (json === undefined) return;
    try {
      mergeFromJson(schema, message, json, { registry });
    } catch (cause) {
      throw bad(`${what}: ${cause instanceof Error ? cause.message : 'not understood'}`, cause);
    }
  };
  if (body === 'all') put(content, 'the content');
  else if (body !== undefined && content !== undefined) put({ [body.jsonName]: content }, 'the content');
  for (const name of new Set(query.keys())) {
    const field = name.split('.');
    if (isGivenElsewhere(field, { method, body }, variables))
      throw bad(`query parameter ${shown(name)}: it is said elsewhere`);
    put(tree(schema, field, query.getAll(name)), `query parameter ${shown(name)}`);
  }
  for (const { field, value } of variables)
    put(tree(schema, field, [value]), `the path (${field.join('.')})`);
  return toBinary(schema, message);
}

/** A parameter must not change what the content or the path has said: who has checked these has checked all. */
function isGivenElsewhere(
  field: readonly string[],
  { method, body }: Pick<Binding, 'method' | 'body'>,
  variables: Said['variables'],
): boolean {
  const top = fieldAt(method.input, field.slice(0, 1));
  if (body !== undefined && body !== 'all' && top === body) return true;
  const found = fieldAt(method.input, field);
  return found !== undefined && variables.some((each) => fieldAt(method.input, each.field) === found);
}

/** `a.b=c` as JSON. */
function tree(
  schema: Binding['method']['input'],
  path: readonly string[],
  values: readonly string[],
): JsonValue {
  const field = fieldAt(schema, path);
  if (field === undefined) throw bad(`${shown(path.join('.'))} is no field of ${schema.typeName}`);
  let json = leaf(field, values);
  for (let at = path.length; at > 0; at--) {
    const name = fieldAt(schema, path.slice(0, at))?.jsonName as string;
    json = { [name]: json } satisfies JsonObject;
  }
  return json;
}

function leaf(field: DescField, values: readonly string[]): JsonValue {
  const [first = '', ...more] = values;
  switch (field.fieldKind) {
    case 'list':
      if (field.listKind === 'message') break;
      return values.map((value) => plain(field.listKind === 'enum' ? 'enum' : isBool(field.scalar), value));
    case 'enum':
      if (more.length === 0) return plain('enum', first);
      throw bad(`${field.name} is said twice`);
    case 'scalar':
      if (more.length === 0) return plain(isBool(field.scalar), first);
      throw bad(`${field.name} is said twice`);
    case 'message':
      // Those whose JSON is a text: Timestamp, Duration, FieldMask, and the wrappers.
      if (more.length === 0 && field.message.file.proto.package === 'google.protobuf')
        return plain(field.message.typeName.endsWith('.BoolValue') ? 'bool' : 'text', first);
      break;
    case 'map':
      break;
  }
  throw bad(`${field.name} cannot be said in a path or a query`);
}

// ScalarType.BOOL of descriptor.proto.
function isBool(scalar: number): 'bool' | 'text' {
  return scalar === 8 ? 'bool' : 'text';
}

/** Numbers are texts in JSON where they may be large, so a text is what every number can be read from. */
function plain(kind: 'bool' | 'enum' | 'text', value: string): JsonValue {
  if (kind === 'bool') {
    if (value === 'true' || value === 'false') return value === 'true';
    throw bad(`expected true or false, found ${shown(value)}`);
  }
  return kind === 'enum' && /^-?\d{1,10}$/.test(value) ? Number(value) : value;
}

/** Reads content as JSON; undefined for none. Throws `BAD_REQUEST`. */
export function readContent(bytes: Uint8Array): JsonValue | undefined {
  if (bytes.byteLength === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as JsonValue;
  } catch (cause) {
    throw bad('the content is no JSON', cause);
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

function bad(what: string, cause?: unknown): HeddleError {
  const message = `the request is not understood: ${what}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message, cause, sent: false });
}
