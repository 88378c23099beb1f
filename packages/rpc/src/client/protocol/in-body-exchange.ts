import { type Call, HeddleError, perform } from '@heddle/kernel';
import {
  acceptedEncodings,
  compressedFrame,
  type Compression,
  compressionOf,
  fewMessagesOf,
  Fields,
  frame,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  type MessageReading,
  messagesOf,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import { takeLoad } from '../../load/take-load.ts';
import { withMetadata } from '../../status/error-metadata.ts';
import { type ExchangeOptions, framed, knownCompressions, messageCount } from '../grpc-exchange.ts';
import { operationOf, type RpcRequest, type RpcResponse, type RpcService } from '../rpc-call.ts';
import type { Ending, InBodyProtocol } from './in-body-protocol.ts';
import { addCallFields } from './request-fields.ts';

/**
 * Speaks gRPC-Web, or Connect where calls stream, over an HTTP client, one attempt at a time. It keeps to what
 * `grpcExchange` promises.
 */
export function inBodyExchange(
  http: HttpService,
  options: ExchangeOptions,
  protocol: InBodyProtocol,
): RpcService {
  const { maxMessageBytes = 4 * 1024 * 1024 } = options;
  return async (req, call) => {
    const exchange = call.child();
    const response = await perform(http, await requestFor(req, call, options, protocol), exchange);
    const answer = new Answer(response, protocol, maxMessageBytes, exchange);
    return req.method.methodKind === 'unary' ? answer.once(call) : answer.streaming(call, exchange);
  };
}

async function requestFor(
  { method, fields: own, input }: RpcRequest,
  call: Call,
  { authority, compress }: ExchangeOptions,
  { contentType, usual, encodingField, acceptField }: InBodyProtocol,
): Promise<HttpRequest> {
  const fields = own.clone().set('content-type', contentType);
  for (let at = 0; at < usual.length; at += 2) fields.set(usual[at] as string, usual[at + 1] as string);
  fields.set(acceptField, acceptedEncodings(knownCompressions));
  if (compress !== undefined) fields.set(encodingField, compress.name);
  addCallFields(fields, call);
  const path = `/${operationOf({ method, fields, input })}`;
  const rest = { method: 'POST', scheme: 'http', authority, path, fields } as const;
  if (!(input instanceof Uint8Array)) return { ...rest, body: streamBody(framed(input, compress)) };
  const bytes = compress === undefined ? frame(input) : await compressedFrame(input, compress);
  return { ...rest, body: wholeBody(bytes) };
}

/** The answer to one request, from its header to its last envelope. */
class Answer {
  readonly #response: HttpResponse;
  readonly #reading: MessageReading;
  readonly #protocol: InBodyProtocol;
  #ending: Ending | undefined;
  #taken = 0;

  /** Throws what the answer says, where it has no envelopes. */
  constructor(response: HttpResponse, protocol: InBodyProtocol, limitBytes: number, exchange: Call) {
    this.#response = response;
    this.#protocol = protocol;
    this.#ending = protocol.endingOf(response);
    try {
      if (this.#ending?.error !== undefined) throw this.#explained(this.#ending.error);
      const { fields } = response;
      const compression = this.#compression(fields.get(protocol.encodingField));
      const take = (content: Uint8Array): void => void (this.#ending = protocol.readEnd(content));
      this.#reading = { limitBytes, compression, end: { flag: protocol.endFlag, take } };
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      response.body.cancel(error);
      exchange.end(error);
      throw error;
    }
  }

  async once(call: Call): Promise<RpcResponse> {
    const { body, fields: header } = this.#response;
    const messages = await fewMessagesOf(body, this.#reading, 1);
    if (messages.length > 1) throw messageCount('several messages');
    this.#taken = messages.length;
    const trailer = this.#checkEnd(call);
    const [output] = messages;
    if (output === undefined) throw messageCount('no message');
    return { header, trailer, output };
  }

  streaming(call: Call, exchange: Call): RpcResponse {
    const { body, fields: header } = this.#response;
    let read = false;
    call.deferEnd();
    // The last byte may have come before anybody has looked at the last envelope: then the reader ends the call.
    exchange.onEnd(({ error }) => {
      read = true;
      if (error !== undefined) call.end(error);
    });
    call.onCancel((error) => {
      body.cancel(error);
      if (read) call.end(error);
    });
    const trailer = (): Fields => this.#ending?.trailer ?? new Fields();
    return {
      header,
      get trailer(): Fields {
        return trailer();
      },
      output: this.#messages(call),
    };
  }

  async *#messages(call: Call): AsyncGenerator<Uint8Array, void> {
    let error: HeddleError | undefined;
    try {
      for await (const message of messagesOf(this.#response.body, this.#reading)) {
        call.throwIfCancelled();
        this.#taken++;
        yield message;
      }
      this.#checkEnd(call);
    } catch (thrown) {
      error = HeddleError.from(thrown);
      throw error;
    } finally {
      call.end(error);
    }
  }

  /** The trailer of a call that went well; throws how it ended otherwise. */
  #checkEnd(call: Call): Fields {
    if (this.#taken === 0) this.#ending ??= this.#protocol.endingWithout(this.#response);
    const ending = this.#ending;
    if (ending === undefined) throw this.#explained(noEnd());
    takeLoad(ending.trailer, call);
    if (ending.error !== undefined) throw this.#explained(ending.error);
    return ending.trailer;
  }

  #explained(error: HeddleError): HeddleError {
    const { fields: header } = this.#response;
    return withMetadata(error, { header, trailer: this.#ending?.trailer ?? new Fields() });
  }

  #compression(encoding: string | undefined): Compression | undefined {
    try {
      return compressionOf(encoding, knownCompressions);
    } catch (thrown) {
      // The server's mistake: it was told what is known here.
      throw HeddleError.from(thrown).with({ code: 'internal' });
    }
  }
}

function noEnd(): HeddleError {
  const message = 'the answer ended without the envelope that says how the call ended';
  return new HeddleError({ code: 'internal', reason: 'NO_END', message });
}
