import { HeddleError } from '@heddle/kernel';
import { codeOfHttpStatus, Fields, type HttpResponse } from '@heddle/wire';
import { readStatus } from '../../status/status-fields.ts';
import { errorOfJson, fieldsOfJson, jsonOf } from './answer-error.ts';

/** How a call ended. */
export interface Ending {
  readonly trailer: Fields;
  readonly error: HeddleError | undefined;
}

/** A protocol whose bodies are envelopes, the last of which says how the call ended. */
export interface InBodyProtocol {
  readonly contentType: string;
  /** What each request says, beside content type and encodings: name, value, name, value … */
  readonly usual: readonly string[];
  readonly encodingField: string;
  readonly acceptField: string;
  /** What marks the last envelope. */
  readonly endFlag: number;
  /** Reads the last envelope. Throws for one that cannot be read. */
  readEnd(content: Uint8Array): Ending;
  /** How a call ended whose answer is none of this protocol's; undefined for one that may be. */
  endingOf(response: HttpResponse): Ending | undefined;
  /** How a call ended whose body had no envelope at all; undefined if nothing says so. */
  endingWithout(response: HttpResponse): Ending | undefined;
}

/** connectrpc.com/docs/protocol, calls that stream. */
export const connectStreams: InBodyProtocol = {
  contentType: 'application/connect+proto',
  usual: ['connect-protocol-version', '1'],
  encodingField: 'connect-content-encoding',
  acceptField: 'connect-accept-encoding',
  endFlag: 2,
  readEnd: (content) => {
    const json = jsonOf(content);
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw badEnd('it is no object of JSON');
    const { error, metadata }: { error?: unknown; metadata?: unknown } = json;
    const trailer = fieldsOfJson(metadata);
    const none = error === undefined || error === null;
    return { trailer, error: none ? undefined : errorOfJson(error, 'unknown', trailer) };
  },
  endingOf: (response) => otherAnswer(response, 'application/connect+', ['application/connect+proto']),
  endingWithout: () => undefined,
};

/** grpc/grpc `doc/PROTOCOL-WEB.md`. */
export const grpcWeb: InBodyProtocol = {
  contentType: 'application/grpc-web+proto',
  usual: ['x-grpc-web', '1', 'user-agent', 'heddle'],
  encodingField: 'grpc-encoding',
  acceptField: 'grpc-accept-encoding',
  endFlag: 0x80,
  readEnd: (content) => {
    const trailer = readTrailers(content);
    return { trailer, error: readStatus(trailer, 200) };
  },
  endingOf: (response) =>
    otherAnswer(response, 'application/grpc-web', ['application/grpc-web', 'application/grpc-web+proto']),
  // A status in the header is the status where there is nothing in the body.
  endingWithout: ({ fields, status }) =>
    fields.has('grpc-status') ? { trailer: fields, error: readStatus(fields, status) } : undefined,
};

/** An answer that is none of this protocol: an error by its HTTP status, or by what it claims to be. */
function otherAnswer(
  { status, fields }: HttpResponse,
  family: string,
  types: readonly string[],
): Ending | undefined {
  const type = fields.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (status === 200 && types.includes(type)) return undefined;
  const code = status !== 200 ? codeOfHttpStatus(status) : type.startsWith(family) ? 'internal' : 'unknown';
  const message = `the answer is none of ${family}: its HTTP status is ${status}, its content type ${JSON.stringify(type)}`;
  return { trailer: fields, error: new HeddleError({ code, reason: 'BAD_ANSWER', message }) };
}

/** The trailer as HTTP/1.1 writes fields. */
function readTrailers(content: Uint8Array): Fields {
  const trailer = new Fields();
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  for (const line of text.split('\r\n')) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) throw badEnd('a line of it is not "name: value"');
    trailer.append(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return trailer;
}

function badEnd(what: string): HeddleError {
  const message = `the envelope that ends the stream cannot be read: ${what}`;
  return new HeddleError({ code: 'internal', reason: 'BAD_END', message });
}
