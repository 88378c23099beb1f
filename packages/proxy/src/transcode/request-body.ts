import type { JsonValue } from '@bufbuild/protobuf';
import { HeddleError } from '@heddle/kernel';
import { type Body, encodeBase64, type HttpRequest, streamBody, wholeBody } from '@heddle/wire';
import { isHttpBody } from './answers.ts';
import type { Binding } from './descriptors.ts';
import { readContent } from './request-message.ts';

/** The frame of a message whose content is said; undefined: there is none. Throws `BAD_REQUEST`. */
type FrameOf = (content: JsonValue | undefined) => Uint8Array;

// A line is one message, and a message is held in memory.
const longestLine = 4_194_304;
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The messages that the content of a request means, as gRPC frames: one, or of a stream each element of a JSON array, or
 * with `application/x-ndjson` each line, which goes on as it comes. Rejects with `NOT_JSON` for content of another type,
 * except where the message is content itself (google.api.HttpBody): then each piece of a stream is a message as it comes.
 */
export async function requestBody(req: HttpRequest, binding: Binding, frameOf: FrameOf): Promise<Body> {
  const { methodKind } = binding.method;
  const streams = methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
  const type = req.fields.get('content-type');
  if (isRaw(binding)) {
    const piece = (bytes: Uint8Array): Uint8Array =>
      frameOf({ contentType: type ?? '', data: textOf(bytes) });
    if (streams) return streamBody(framed(req.body, piece));
    return wholeBody(piece(await allOf(req)));
  }
  if (streams && type !== undefined && /^application\/(x-)?ndjson *(;|$)/i.test(type))
    return streamBody(framed(lines(req.body), (line) => frameOf(readContent(line))));
  const bytes = await allOf(req);
  if (bytes.byteLength > 0 && type !== undefined && !isJson(type)) throw notJson(type, streams);
  const content = readContent(bytes);
  if (!streams) return wholeBody(frameOf(content));
  if (content === undefined) return streamBody([]);
  if (!Array.isArray(content))
    throw bad('a stream of messages is a JSON array, or lines of application/x-ndjson');
  // All at once: what cannot be understood is refused before anything is sent.
  return streamBody(content.map(frameOf));
}

function isRaw({ method, body }: Binding): boolean {
  if (body === undefined) return false;
  return isHttpBody(body === 'all' ? method.input : body.message);
}

/** The limit of a route's content stands above. */
function allOf({ body }: HttpRequest): Promise<Uint8Array> {
  return body.bytes(Number.POSITIVE_INFINITY);
}

async function* framed(
  pieces: AsyncIterable<Uint8Array>,
  frameOf: (piece: Uint8Array) => Uint8Array,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) yield frameOf(piece);
}

async function* lines(body: Body): AsyncGenerator<Uint8Array, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of body) {
    rest = rest.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end);
      rest = rest.subarray(end + 1);
      if (!isBlank(line)) yield line;
    }
    if (rest.byteLength > longestLine) throw bad(`a line is longer than ${longestLine} bytes`);
  }
  if (!isBlank(rest)) yield rest;
}

function isBlank(line: Uint8Array): boolean {
  return decoder.decode(line).trim() === '';
}

function isJson(type: string): boolean {
  return /^application\/([\w.-]+\+)?json *(;|$)/i.test(type);
}

/** As JSON has bytes. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(encodeBase64(bytes));
}

function notJson(type: string, streams: boolean): HeddleError {
  const lists = streams ? ' or application/x-ndjson' : '';
  const message = `expected content of application/json${lists}, found ${JSON.stringify(type.slice(0, 60))}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'NOT_JSON', message, sent: false });
}

function bad(what: string): HeddleError {
  const message = `the request is not understood: ${what}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message, sent: false });
}
