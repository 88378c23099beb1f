import { HeddleError } from '@heddle/kernel';

/** How the values of a topic become payloads and back. Both reject with `invalid_argument` / `BAD_PAYLOAD`. */
export interface Codec<T> {
  readonly contentType: string;
  encode(value: T): Promise<Uint8Array>;
  decode(payload: Uint8Array): Promise<T>;
}

/**
 * What any validator that follows Standard Schema gives: zod, valibot, arktype and others do.
 * Source: standardschema.dev, version 1.
 */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<T> | Promise<StandardResult<T>>;
  };
}

/** What a validation comes to. */
export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong, and where. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** JSON, checked by the schema on its way out and on its way in: what it makes of a value is what is sent and handled. */
export function json<T>(schema: StandardSchema<T>): Codec<T> {
  return {
    contentType: 'application/json',
    encode: async (value) => new TextEncoder().encode(JSON.stringify(await checked(schema, value))),
    decode: async (payload) => checked(schema, parsed(payload)),
  };
}

/** Protobuf, by the functions that a generator or library gives for one message type. */
export function protobuf<T>(type: {
  readonly toBinary: (value: T) => Uint8Array;
  readonly fromBinary: (payload: Uint8Array) => T;
}): Codec<T> {
  const guarded = <R>(work: () => R): R => {
    try {
      return work();
    } catch (thrown) {
      throw badPayload([{ message: thrown instanceof Error ? thrown.message : String(thrown) }]);
    }
  };
  return {
    contentType: 'application/x-protobuf',
    encode: async (value) => guarded(() => type.toBinary(value)),
    decode: async (payload) => guarded(() => type.fromBinary(payload)),
  };
}

function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (thrown) {
    throw badPayload([{ message: `not JSON: ${(thrown as Error).message}` }]);
  }
}

async function checked<T>(schema: StandardSchema<T>, value: unknown): Promise<T> {
  const result = await schema['~standard'].validate(value);
  if (result.issues !== undefined) throw badPayload(result.issues);
  return result.value;
}

function badPayload(issues: readonly StandardIssue[]): HeddleError {
  const shown = issues.map(({ message, path = [] }) => {
    const place = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return { field: place, problem: message };
  });
  const text = shown
    .map(({ field, problem }) => (field === '' ? problem : `${field}: ${problem}`))
    .join('; ');
  return new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_PAYLOAD',
    message: `the payload is not what the topic's schema says: ${text}`,
    sent: false,
    details: shown.map((value) => ({ type: 'heddle.FieldViolation', value })),
  });
}
