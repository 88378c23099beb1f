import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { Call } from '@heddle/kernel';

/** One message in, one out. */
export type UnaryHandler<I extends DescMessage, O extends DescMessage> = (
  req: MessageShape<I>,
  call: Call,
) => Promise<MessageInitShape<O>> | MessageInitShape<O>;

/** One in, many out. The loop is asked for the next message only when the client has room for it. */
export type ServerStreamingHandler<I extends DescMessage, O extends DescMessage> = (
  req: MessageShape<I>,
  call: Call,
) => AsyncIterable<MessageInitShape<O>>;

/** Many in, one out. A message is read from the wire only when it is asked for. */
export type ClientStreamingHandler<I extends DescMessage, O extends DescMessage> = (
  messages: AsyncIterable<MessageShape<I>>,
  call: Call,
) => Promise<MessageInitShape<O>>;

/** Many in, many out, in any order. */
export type BidiStreamingHandler<I extends DescMessage, O extends DescMessage> = (
  messages: AsyncIterable<MessageShape<I>>,
  call: Call,
) => AsyncIterable<MessageInitShape<O>>;

/**
 * What serves one method, by its kind. Like every `Service` it takes a request and a call: the call has the deadline
 * and the context that came with the request, is cancelled when the client gives up, and is what outgoing calls are
 * made within. It fails by throwing a `HeddleError`; anything else thrown counts as a mistake in code: it is logged,
 * and the client learns no more than `unknown`.
 */
export type RpcHandler<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? UnaryHandler<I, O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? ServerStreamingHandler<I, O>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? ClientStreamingHandler<I, O>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? BidiStreamingHandler<I, O>
          : never;

/** The handlers of a service, by method. One that is left out answers `unimplemented`. */
export type RpcHandlers<Desc extends DescService> = {
  readonly [Method in keyof Desc['method']]?: RpcHandler<Desc['method'][Method]>;
};
