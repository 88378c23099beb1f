import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { HeddleError } from '@heddle/kernel';
import type { Compression, HttpResponse } from '@heddle/wire';
import type { Metadata } from '../metadata.ts';
import type { Codec } from './codec.ts';

/** What every exchange of a service keeps to. */
export interface ExchangeLimits {
  /** Largest message that is taken, before and after decompression. */
  readonly maxMessageBytes: number;
  /** Largest message that is sent, before compression. */
  readonly maxSentMessageBytes: number;
  /** What messages may be compressed by, the preferred one first. */
  readonly compressions: readonly Compression[];
}

/** One request and its answer, as their protocol has messages and status in them. Handlers see it as `Metadata`. */
export interface Exchange extends Metadata {
  readonly codec: Codec;
  /** The only message of the request; rejects where there is none, or another. `method` is for the error's text. */
  message(method: string): Promise<Uint8Array>;
  /** The answer with one message. Throws or rejects for a message over the limit. */
  answer<Desc extends DescMessage>(
    schema: Desc,
    message: MessageInitShape<Desc>,
  ): HttpResponse | Promise<HttpResponse>;
  /** The answer with an error and no message. */
  refuse(error: HeddleError): HttpResponse;
}
