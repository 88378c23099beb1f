import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { HeddleError } from '@heddle/kernel';
import {
  acceptableCompression,
  acceptedEncodings,
  compressionOf,
  Fields,
  type HttpRequest,
  type HttpResponse,
  messageTooLarge,
  statusOfCode,
  wholeBody,
} from '@heddle/wire';
import { writeReason } from '../../status/status-fields.ts';
import { type Codec, json, proto } from './codec.ts';
import { checkConnectVersion, connectError } from './connect-error.ts';
import { readConnectQuery } from './connect-query.ts';
import type { Exchange, ExchangeLimits } from './exchange.ts';

/** By media type. */
export const connectUnaryCodecs: ReadonlyMap<string, Codec> = new Map([
  ['application/proto', proto],
  ['application/json', json],
]);

/** A unary call of Connect: the message is the body (or in the query of a GET), the status is HTTP's. */
export class ConnectUnaryExchange implements Exchange {
  codec: Codec;
  readonly request: Fields;
  readonly header: Fields = new Fields();
  readonly trailer: Fields = new Fields();
  requestCompressed = false;
  compressed: boolean;
  readonly #req: HttpRequest;
  readonly #limits: ExchangeLimits;

  /** `codec` is that of the content type; a GET says in its query which it is. */
  constructor(req: HttpRequest, codec: Codec, limits: ExchangeLimits) {
    this.#req = req;
    this.#limits = limits;
    this.codec = codec;
    this.request = req.fields;
    const encoding = req.fields.get('content-encoding');
    this.compressed = encoding !== undefined && encoding !== 'identity';
  }

  async message(): Promise<Uint8Array> {
    checkConnectVersion(this.request);
    const { maxMessageBytes } = this.#limits;
    if (this.#req.method !== 'GET') {
      const bytes = await this.#req.body.bytes(maxMessageBytes);
      return this.#decompressed(bytes, this.request.get('content-encoding'));
    }
    const { message, encoding, compression } = readConnectQuery(this.#req.path);
    this.codec = encoding === 'proto' ? proto : json;
    if (message.byteLength > maxMessageBytes) throw messageTooLarge(maxMessageBytes, message.byteLength);
    return this.#decompressed(message, compression);
  }

  answer<Desc extends DescMessage>(
    schema: Desc,
    init: MessageInitShape<Desc>,
  ): HttpResponse | Promise<HttpResponse> {
    const { maxSentMessageBytes, compressions } = this.#limits;
    const message = this.codec.encode(schema, init);
    if (message.byteLength > maxSentMessageBytes)
      throw messageTooLarge(maxSentMessageBytes, message.byteLength);
    const fields = this.#fields(this.codec === json ? 'application/json' : 'application/proto');
    // A cache keeps the answer to a GET; another client may take another encoding.
    if (this.#req.method === 'GET') fields.append('vary', 'accept-encoding');
    const accept = this.compressed ? this.request.get('accept-encoding') : undefined;
    const compression = acceptableCompression(accept, compressions);
    if (compression === undefined) return { status: 200, fields, body: wholeBody(message) };
    fields.set('content-encoding', compression.name);
    return compression.compress(message).then((bytes) => ({ status: 200, fields, body: wholeBody(bytes) }));
  }

  refuse(error: HeddleError): HttpResponse {
    return refuseConnectUnary(error, this.#fields('application/json'));
  }

  async #decompressed(bytes: Uint8Array, encoding: string | undefined): Promise<Uint8Array> {
    const { compressions, maxMessageBytes } = this.#limits;
    try {
      const compression = compressionOf(encoding, compressions);
      this.requestCompressed = compression !== undefined;
      return compression === undefined ? bytes : await compression.decompress(bytes, maxMessageBytes);
    } catch (thrown) {
      this.header.set('accept-encoding', acceptedEncodings(compressions));
      throw thrown;
    }
  }

  /** Without trailers of its own, HTTP/1.1 and browsers included, the trailer goes into the header under a prefix. */
  #fields(contentType: string): Fields {
    const fields = this.header.set('content-type', contentType);
    for (const [name, value] of this.trailer) fields.append(`trailer-${name}`, value);
    return fields;
  }
}

/** The reason of an error that says: nothing is served at that path. */
export const unknownMethodReason = 'UNKNOWN_METHOD';

/** The answer to a unary call that failed, also before any exchange was opened for it. */
export function refuseConnectUnary(error: HeddleError, fields: Fields = new Fields()): HttpResponse {
  writeReason(error, fields).set('content-type', 'application/json');
  // A path that names nothing is 404, in Connect as everywhere; 501 is for a method without a handler.
  const status = error.reason === unknownMethodReason ? 404 : statusOfCode(error.code);
  return { status, fields, body: wholeBody(connectError(error)) };
}
