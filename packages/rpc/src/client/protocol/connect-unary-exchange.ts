import { type Call, HeddleError, perform } from '@heddle/kernel';
import {
  acceptedEncodings,
  codeOfHttpStatus,
  compressionOf,
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  messageTooLarge,
  wholeBody,
} from '@heddle/wire';
import { takeLoad } from '../../load/take-load.ts';
import { withMetadata } from '../../status/error-metadata.ts';
import { type ExchangeOptions, knownCompressions } from '../grpc-exchange.ts';
import { operationOf, type RpcRequest, type RpcService } from '../rpc-call.ts';
import { errorOfJson, jsonOf } from './answer-error.ts';
import { addCallFields } from './request-fields.ts';

const contentType = 'application/proto';
const trailerPrefix = 'trailer-';

/**
 * Speaks Connect's unary calls over an HTTP client, one attempt at a time: the message is the body, the status is
 * HTTP's, and what gRPC has as trailers comes in the header under a prefix (connectrpc.com/docs/protocol).
 */
export function connectUnaryExchange(http: HttpService, options: ExchangeOptions): RpcService {
  const { maxMessageBytes = 4 * 1024 * 1024 } = options;
  return async (req, call) => {
    const exchange = call.child();
    const response = await perform(http, await requestFor(req, call, options), exchange);
    const { header, trailer } = apart(response.fields);
    takeLoad(trailer, call);
    const explained = (error: HeddleError): HeddleError => withMetadata(error, { header, trailer });
    const wrong = wrongAnswer(response, trailer);
    if (wrong !== undefined) {
      response.body.cancel(wrong);
      exchange.end(wrong);
      throw explained(wrong);
    }
    const content = await contentOf(response, maxMessageBytes);
    if (response.status === 200) return { header, trailer, output: content };
    throw explained(errorOfJson(jsonOf(content), codeOfHttpStatus(response.status), trailer));
  };
}

async function requestFor(req: RpcRequest, call: Call, options: ExchangeOptions): Promise<HttpRequest> {
  const { authority, compress } = options;
  const input = req.input as Uint8Array;
  const fields = req.fields.clone().set('content-type', contentType).set('connect-protocol-version', '1');
  fields.set('accept-encoding', acceptedEncodings(knownCompressions));
  if (compress !== undefined) fields.set('content-encoding', compress.name);
  addCallFields(fields, call);
  const body = wholeBody(compress === undefined ? input : await compress.compress(input));
  return { method: 'POST', scheme: 'http', authority, path: `/${operationOf(req)}`, fields, body };
}

/** The header fields, and those that are the trailer. */
function apart(fields: Fields): { header: Fields; trailer: Fields } {
  const header = new Fields();
  const trailer = new Fields();
  for (const [name, value] of fields)
    if (name.startsWith(trailerPrefix)) trailer.append(name.slice(trailerPrefix.length), value);
    else header.append(name, value);
  return { header, trailer };
}

/** Why an answer is none of this protocol; undefined for a message, and for an error that says what it is. */
function wrongAnswer({ status, fields }: HttpResponse, trailer: Fields): HeddleError | undefined {
  const type = fields.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (status === 200 ? type === contentType : type === 'application/json') return undefined;
  const code =
    status !== 200 ? codeOfHttpStatus(status) : type.startsWith('application/') ? 'internal' : 'unknown';
  const message = `the answer is none of Connect's: its HTTP status is ${status}, its content type ${JSON.stringify(type)}`;
  const { reason } = errorOfJson(undefined, code, trailer);
  return new HeddleError({ code, reason: reason === 'UPSTREAM_STATUS' ? 'BAD_ANSWER' : reason, message });
}

async function contentOf({ body, fields }: HttpResponse, limitBytes: number): Promise<Uint8Array> {
  try {
    const bytes = await body.bytes(limitBytes);
    const compression = compressionOf(fields.get('content-encoding'), knownCompressions);
    return compression === undefined ? bytes : await compression.decompress(bytes, limitBytes);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    body.cancel(error);
    if (error.reason === 'BODY_TOO_LARGE') throw messageTooLarge(limitBytes, body.size);
    // The server's mistake: it was told what is known here.
    throw error.reason === 'UNKNOWN_ENCODING' ? error.with({ code: 'internal' }) : error;
  }
}
