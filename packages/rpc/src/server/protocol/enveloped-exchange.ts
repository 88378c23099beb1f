import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { HeddleError } from '@heddle/kernel';
import {
  acceptableCompression,
  acceptedEncodings,
  base64Body,
  type Body,
  type Compression,
  compressedFrame,
  compressionOf,
  encodeBase64,
  Fields,
  fewMessagesOf,
  type HttpRequest,
  type HttpResponse,
  type MessageReading,
  messagesOf,
  messageTooLarge,
  wholeBody,
} from '@heddle/wire';
import { headBytes } from '../../codec/encode-framed.ts';
import type { Codec } from './codec.ts';
import { type Dialect, refuseInDialect } from './dialect.ts';
import type { Exchange, ExchangeLimits } from './exchange.ts';

/** An exchange of gRPC, gRPC-Web, or Connect's streams. */
export class EnvelopedExchange implements Exchange {
  readonly request: Fields;
  readonly header: Fields = new Fields();
  readonly trailer: Fields = new Fields();
  requestCompressed = false;
  compressed: boolean;
  readonly #dialect: Dialect;
  readonly #limits: ExchangeLimits;
  readonly #body: Body;
  /** What the answer's header announces; messages may still go without it. */
  #announced: Compression | undefined;

  constructor(req: HttpRequest, dialect: Dialect, limits: ExchangeLimits) {
    this.#dialect = dialect;
    this.#limits = limits;
    this.#body = dialect.text ? base64Body(req.body) : req.body;
    this.request = req.fields;
    const encoding = req.fields.get(dialect.encodingField);
    this.compressed = encoding !== undefined && encoding !== 'identity';
  }

  get codec(): Codec {
    return this.#dialect.codec;
  }

  async message(method: string): Promise<Uint8Array> {
    const [message, second] = await fewMessagesOf(this.#body, this.#reading(), 1);
    if (message !== undefined && second === undefined) return message;
    const text = `${method} takes one message, and ${message === undefined ? 'none' : 'more'} came`;
    throw new HeddleError({ code: 'unimplemented', reason: 'MESSAGE_COUNT', message: text });
  }

  /** The messages of the request, read as they are asked for. Throws where their encoding is unknown. */
  messages(): AsyncGenerator<Uint8Array, void> {
    return messagesOf(this.#body, this.#reading());
  }

  answer<Desc extends DescMessage>(
    schema: Desc,
    message: MessageInitShape<Desc>,
  ): HttpResponse | Promise<HttpResponse> {
    this.#announce();
    const framed = this.#frame(schema, message);
    return framed instanceof Promise ? framed.then((bytes) => this.#whole(bytes)) : this.#whole(framed);
  }

  /** The answer with many messages: a body that yields what `pack` and `close` return. Its trailer is `httpTrailer`. */
  begin(body: Body): HttpResponse {
    this.#announce();
    return this.#answer(body);
  }

  /** A message as the body has it. Throws or rejects for one over the limit. Not before `begin`. */
  pack<Desc extends DescMessage>(
    schema: Desc,
    message: MessageInitShape<Desc>,
  ): Uint8Array | Promise<Uint8Array> {
    const framed = this.#frame(schema, message);
    if (!this.#dialect.text) return framed;
    return framed instanceof Promise ? framed.then(encodeBase64) : encodeBase64(framed);
  }

  /** Writes how the call ended. Returns what is still to go into the body, if the protocol has it there. */
  close(failure: HeddleError | undefined): Uint8Array | undefined {
    const last = this.#dialect.close(failure, this.trailer);
    return last !== undefined && this.#dialect.text ? encodeBase64(last) : last;
  }

  /** What goes after the body, complete after `close`. */
  get httpTrailer(): Fields | undefined {
    return this.#dialect.httpTrailer ? this.trailer : undefined;
  }

  refuse(error: HeddleError): HttpResponse {
    return refuseInDialect(this.#dialect, error, this.header, this.trailer);
  }

  #reading(): MessageReading {
    const { compressions, maxMessageBytes } = this.#limits;
    const { encodingField, acceptField } = this.#dialect;
    this.#dialect.check(this.request);
    try {
      const compression = compressionOf(this.request.get(encodingField), compressions);
      const onMessage = (compressed: boolean): void => void (this.requestCompressed = compressed);
      return { limitBytes: maxMessageBytes, compression, onMessage };
    } catch (unknown) {
      this.header.set(acceptField, acceptedEncodings(compressions));
      throw unknown;
    }
  }

  #announce(): void {
    if (!this.compressed) return;
    const { acceptField, encodingField } = this.#dialect;
    this.#announced = acceptableCompression(this.request.get(acceptField), this.#limits.compressions);
    if (this.#announced !== undefined) this.header.set(encodingField, this.#announced.name);
  }

  #frame<Desc extends DescMessage>(
    schema: Desc,
    message: MessageInitShape<Desc>,
  ): Uint8Array | Promise<Uint8Array> {
    const { maxSentMessageBytes } = this.#limits;
    const framed = this.codec.encodeFramed(schema, message);
    const bytes = framed.byteLength - headBytes;
    if (bytes > maxSentMessageBytes) throw messageTooLarge(maxSentMessageBytes, bytes);
    const compression = this.compressed ? this.#announced : undefined;
    return compression === undefined ? framed : compressedFrame(framed.subarray(headBytes), compression);
  }

  #whole(framed: Uint8Array): HttpResponse {
    const last = this.#dialect.close(undefined, this.trailer);
    if (last === undefined) return this.#answer(wholeBody(framed, this.trailer));
    const bytes = Buffer.concat([framed, last]);
    return this.#answer(wholeBody(this.#dialect.text ? encodeBase64(bytes) : bytes));
  }

  #answer(body: Body): HttpResponse {
    return { status: 200, fields: this.header.set('content-type', this.#dialect.contentType), body };
  }
}
