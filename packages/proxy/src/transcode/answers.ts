import {
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from '@bufbuild/protobuf';
import { HeddleError } from '@heddle/kernel';
import { type Body, type Fields, messagesOf, readGrpcStatus, streamBody } from '@heddle/wire';
import { gzip } from '@heddle/wire/compression';
import type { Binding } from './descriptors.ts';

/** How a stream of messages is written: a JSON array, a line each, or server-sent events. */
export type StreamForm = 'array' | 'lines' | 'events';

/** The media type of each. */
export const streamTypes: Readonly<Record<StreamForm, string>> = {
  array: 'application/json',
  lines: 'application/x-ndjson',
  events: 'text/event-stream',
};

const encoder = new TextEncoder();
const limitBytes = 64 * 1_048_576;

/** How messages of an answer become JSON. */
export interface AnswerOptions {
  readonly binding: Binding;
  readonly registry: Registry;
  /** Fields that are not set are written too. */
  readonly alwaysAll: boolean;
}

/** The messages of an answer as JSON texts, one by one. Rejects with the status of its trailers, if that is an error. */
export async function* jsonTexts(
  body: Body,
  fields: Fields,
  options: AnswerOptions,
): AsyncGenerator<string, void> {
  for await (const message of messagesIn(body, fields)) yield JSON.stringify(jsonOf(message, options));
}

/** Content that a service hands over as it is. */
export interface RawContent {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** True for a method whose answers are google.api.HttpBody. */
export function isRawAnswer({ method: { output }, responseBody }: Binding): boolean {
  return isHttpBody(responseBody === undefined ? output : responseBody.message);
}

/** True for google.api.HttpBody, which is content rather than a message. */
export function isHttpBody(message: DescMessage | undefined): boolean {
  return message?.typeName === 'google.api.HttpBody';
}

/** The messages of an answer as the content that they are; otherwise as `jsonTexts`. */
export async function* rawContents(
  body: Body,
  fields: Fields,
  { binding: { method, responseBody } }: AnswerOptions,
): AsyncGenerator<RawContent, void> {
  for await (const message of messagesIn(body, fields)) {
    const read = decoded(method.output, message);
    const content = responseBody === undefined ? read : read[responseBody.localName];
    const { contentType = '', data } = (content ?? {}) as { contentType?: string; data?: Uint8Array };
    yield { type: contentType, bytes: data ?? new Uint8Array() };
  }
}

async function* messagesIn(body: Body, fields: Fields): AsyncGenerator<Uint8Array, void> {
  const compression = fields.get('grpc-encoding') === 'gzip' ? gzip : undefined;
  yield* messagesOf(body, { limitBytes, compression });
  const error = readGrpcStatus(body.trailers ?? fields, 200);
  if (error !== undefined) throw error;
}

function decoded(schema: DescMessage, bytes: Uint8Array): Message & Record<string, unknown> {
  try {
    return fromBinary(schema, bytes) as Message & Record<string, unknown>;
  } catch (cause) {
    const message = `the upstream's answer is no ${schema.typeName}`;
    throw new HeddleError({ code: 'internal', reason: 'BAD_RESPONSE', message, cause });
  }
}

function jsonOf(bytes: Uint8Array, { binding, registry, alwaysAll }: AnswerOptions): JsonValue {
  const { method, responseBody } = binding;
  try {
    const message = fromBinary(method.output, bytes);
    const json = (alwaysEmitImplicit: boolean): JsonValue =>
      toJson(method.output, message, { registry, alwaysEmitImplicit });
    if (responseBody === undefined) return json(alwaysAll);
    const { jsonName } = responseBody;
    // The one field is all of the answer: it is written even where it is not set.
    return (json(alwaysAll) as JsonObject)[jsonName] ?? (json(true) as JsonObject)[jsonName] ?? null;
  } catch (cause) {
    const message = `the upstream's answer is no ${method.output.typeName}`;
    throw new HeddleError({ code: 'internal', reason: 'BAD_RESPONSE', message, cause });
  }
}

/**
 * A stream in its form. An error within it cannot become a status any more: in an array it breaks the answer off, which
 * then never looks whole; lines and events tell it as their last one.
 */
export function streamOf(texts: AsyncGenerator<string, void>, form: StreamForm): Body {
  return streamBody(written(texts, form));
}

async function* written(
  texts: AsyncGenerator<string, void>,
  form: StreamForm,
): AsyncGenerator<Uint8Array, void> {
  let before = form === 'array' ? '[' : '';
  try {
    for await (const text of texts) {
      if (form === 'events') yield encoder.encode(`data: ${text}\n\n`);
      else if (form === 'lines') yield encoder.encode(`${text}\n`);
      else yield encoder.encode(before + text);
      if (form === 'array') before = ',';
    }
    if (form === 'array') yield encoder.encode(before === '[' ? '[]' : ']');
  } catch (thrown) {
    if (form === 'array') throw thrown;
    const { code, reason, message } = HeddleError.from(thrown);
    const text = JSON.stringify({ error: { code, reason, message } });
    yield encoder.encode(form === 'events' ? `event: error\ndata: ${text}\n\n` : `${text}\n`);
  }
}
