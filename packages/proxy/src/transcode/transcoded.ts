import type { JsonValue } from '@bufbuild/protobuf';
import { HeddleError, type Layer } from '@heddle/kernel';
import {
  type Body,
  Fields,
  frame,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  readGrpcStatus,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import { jsonAnswer } from '../answer/json-answer.ts';
import {
  type AnswerOptions,
  isRawAnswer,
  jsonTexts,
  type RawContent,
  rawContents,
  type StreamForm,
  streamOf,
  streamTypes,
} from './answers.ts';
import type { Binding, Descriptors } from './descriptors.ts';
import { matchTemplate } from './path-template.ts';
import { requestBody } from './request-body.ts';
import { requestMessage, type Said } from './request-message.ts';

const encoder = new TextEncoder();

/** What is between the client and us, and means nothing to a gRPC server. */
const ofTheContent = [
  'content-type',
  'content-length',
  'content-encoding',
  'accept-encoding',
  'accept',
  'range',
];

/**
 * Serves a gRPC upstream as JSON over HTTP, as its descriptors say (google/api/http.proto). What is gRPC already passes
 * as it is. Refuses what fits no binding with 404, and with 405 where only the method does not fit.
 */
export function transcoded(descriptors: Descriptors, alwaysAll: boolean): Layer<HttpRequest, HttpResponse> {
  const { bindings, registry } = descriptors;
  return (next) => async (req, call) => {
    if (req.fields.get('content-type')?.startsWith('application/grpc') === true) return next(req, call);
    const question = req.path.indexOf('?');
    const path = question === -1 ? req.path : req.path.slice(0, question);
    const found = find(bindings, req.method, path);
    if (Array.isArray(found)) return notFound(path, found);
    const { binding, variables } = found;
    const query = new URLSearchParams(question === -1 ? '' : req.path.slice(question + 1));
    const frameOf = (content: JsonValue | undefined): Uint8Array =>
      frame(requestMessage(binding, { variables, query, content }, registry));
    const body = await requestBody(req, binding, frameOf);
    return answered(next, asGrpc(req, binding, body), call, { binding, registry, alwaysAll }, formOf(req));
  };
}

interface FoundBinding {
  readonly binding: Binding;
  readonly variables: Said['variables'];
}

/** The first binding that fits, or the methods of those whose path does. */
function find(bindings: readonly Binding[], verb: string, path: string): FoundBinding | string[] {
  const others: string[] = [];
  for (const binding of bindings) {
    const variables = matchTemplate(binding.template, path);
    if (variables === undefined) continue;
    if (binding.verb === verb) return { binding, variables };
    others.push(binding.verb);
  }
  return others;
}

function asGrpc(req: HttpRequest, { method }: Binding, body: Body): HttpRequest {
  const fields = req.fields.clone();
  for (const name of ofTheContent) fields.delete(name);
  fields
    .set('content-type', 'application/grpc')
    .set('te', 'trailers')
    .set('grpc-accept-encoding', 'identity,gzip');
  const path = `/${method.parent.typeName}/${method.name}`;
  return { ...req, method: 'POST', path, fields, body };
}

async function answered(
  next: HttpService,
  req: HttpRequest,
  call: Parameters<HttpService>[1],
  options: AnswerOptions,
  form: StreamForm,
): Promise<HttpResponse> {
  const res = await next(req, call);
  if (!isGrpc(res)) return res;
  const early = res.fields.has('grpc-status') ? readGrpcStatus(res.fields, res.status) : undefined;
  if (early !== undefined) throw early;
  const fields = metadata(res.fields);
  const { methodKind } = options.binding.method;
  const streams = methodKind === 'server_streaming' || methodKind === 'bidi_streaming';
  if (isRawAnswer(options.binding)) return rawAnswer(res, fields, options, streams);
  const texts = jsonTexts(res.body, res.fields, options);
  if (!streams) {
    const { value } = await texts.next();
    // The status comes after the message.
    await texts.next();
    if (value === undefined) throw noMessage();
    return {
      status: 200,
      fields: fields.set('content-type', 'application/json'),
      body: wholeBody(encoder.encode(value)),
    };
  }
  fields.set('content-type', streamTypes[form]);
  if (form !== 'array') return { status: 200, fields, body: streamOf(texts, form) };
  // An array waits for its first message: until then an error can still be a status.
  const first = await texts.next();
  return { status: 200, fields, body: streamOf(resumed(first, texts), form) };
}

/** Content as the service has made it; of a stream, the type is that of the first piece. */
async function rawAnswer(
  res: HttpResponse,
  fields: Fields,
  options: AnswerOptions,
  streams: boolean,
): Promise<HttpResponse> {
  const contents = rawContents(res.body, res.fields, options);
  const first = await contents.next();
  if (!streams) await contents.next();
  if (first.done === true && !streams) throw noMessage();
  const type = first.done === true ? '' : first.value.type;
  if (/^[\x20-\x7e]+$/.test(type)) fields.set('content-type', type);
  if (!streams && first.done !== true) return { status: 200, fields, body: wholeBody(first.value.bytes) };
  return { status: 200, fields, body: streamBody(bytesOf(resumed(first, contents))) };
}

async function* bytesOf(contents: AsyncGenerator<RawContent, void>): AsyncGenerator<Uint8Array, void> {
  for await (const { bytes } of contents) if (bytes.byteLength > 0) yield bytes;
}

async function* resumed<T>(
  first: IteratorResult<T, void>,
  rest: AsyncGenerator<T, void>,
): AsyncGenerator<T, void> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}

function isGrpc({ status, fields }: HttpResponse): boolean {
  return status === 200 && fields.get('content-type')?.startsWith('application/grpc') === true;
}

/** What the service says beside its messages. */
function metadata(fields: Fields): Fields {
  const kept = new Fields();
  for (const [name, value] of fields)
    if (!name.startsWith('grpc-') && name !== 'content-type' && name !== 'content-length')
      kept.append(name, value);
  return kept;
}

function formOf({ fields }: HttpRequest): StreamForm {
  const accept = fields.get('accept') ?? '';
  if (accept.includes('text/event-stream')) return 'events';
  return accept.includes('application/x-ndjson') ? 'lines' : 'array';
}

function notFound(path: string, verbs: readonly string[]): HttpResponse {
  if (verbs.length === 0) {
    const message = `no method is called by ${path}`;
    return jsonAnswer(404, { code: 'not_found', reason: 'NO_METHOD', message });
  }
  const allow = [...new Set(verbs)].join(', ');
  const answer = jsonAnswer(405, {
    code: 'unimplemented',
    reason: 'OTHER_METHOD',
    message: `${path} is for ${allow}`,
  });
  answer.fields.set('allow', allow);
  return answer;
}

function noMessage(): HeddleError {
  const message = 'the upstream answered without a message';
  return new HeddleError({ code: 'internal', reason: 'BAD_RESPONSE', message });
}
