import type { CallKey } from '@heddle/kernel';
import { callKey } from '@heddle/kernel';
import type { Fields } from '@heddle/wire';

/** What travels beside the messages of one call. */
export interface Metadata {
  /** What the client sent. Values of names that end in `-bin` are base64. */
  readonly request: Fields;
  /** Sent before the first message: a handler adds to it until then. */
  readonly header: Fields;
  /** Sent after the last message: a handler adds to it until it is done. */
  readonly trailer: Fields;
  /** Whether the message that was taken last came compressed. */
  readonly requestCompressed: boolean;
  /**
   * Whether the next messages are compressed, where the client takes that: a handler may set it at any time, but once
   * the first message has gone uncompressed, none is compressed. At first: whether the request names a compression.
   */
  compressed: boolean;
}

/** For handlers: `call.get(metadata)`. Undefined on calls that are not served by an `rpcService`. */
export const metadata: CallKey<Metadata | undefined> = callKey<Metadata | undefined>(
  'rpc-metadata',
  undefined,
);
