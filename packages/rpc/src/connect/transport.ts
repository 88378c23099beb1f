import {
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import type { ContextValues, StreamResponse, Transport, UnaryResponse } from '@connectrpc/connect';
import {
  type Ambient,
  Call,
  HeddleError,
  idempotency,
  idempotencyKey,
  perform,
  type Runtime,
  settleThen,
  valueOf,
} from '@heddle/kernel';
import { type Fields, messageTooLarge } from '@heddle/wire';
import { idempotencyOf, type RpcRequest, type RpcService, singleRequest } from '../client/rpc-call.ts';
import { encodeFramed, headBytes } from '../codec/encode-framed.ts';
import { fieldsOf, type HeadersSource } from './headers.ts';
import { StreamAnswer, UnaryAnswer } from './responses.ts';
import { parentCall } from './within.ts';

/** What `connectTransport` may be told. */
export interface ConnectTransportOptions {
  readonly runtime: Runtime;
  /** For unary calls that name no timeout of their own; 0: none. Streams may go on for ever. */
  readonly timeoutMs: number;
  /** Largest message that is sent. Undefined: any. */
  readonly maxSentMessageBytes: number | undefined;
  /** Where calls that name no parent find one. */
  readonly ambient: Ambient | undefined;
}

/**
 * A client's stack as Connect's `Transport`: here, and nowhere below, messages are typed.
 * Calls reject with `HeddleError`, never with `ConnectError`: what it says about retries would be lost in that.
 */
export function connectTransport(service: RpcService, options: ConnectTransportOptions): Transport {
  const { maxSentMessageBytes: limitBytes = Number.POSITIVE_INFINITY } = options;
  const callFor = (
    method: DescMethod,
    fields: Fields,
    timeoutMs: number | undefined,
    values: ContextValues | undefined,
  ): Call => {
    const { runtime } = options;
    const ms = timeoutMs ?? (method.methodKind === 'unary' ? options.timeoutMs : 0);
    const nowMs = runtime.clock.nowMs();
    const deadlineMs = ms > 0 ? nowMs + ms : undefined;
    const parent = values?.get(parentCall) ?? options.ambient?.current();
    const call =
      parent === undefined ? Call.root(runtime, deadlineMs, nowMs) : parent.child(deadlineMs, nowMs);
    const key = fields.get('idempotency-key');
    // The parent's key names the parent's work. Two calls made for it are two pieces of work.
    if (key !== undefined || parent !== undefined) call.set(idempotencyKey, key);
    const level = idempotencyOf(method);
    return level === 'unknown' && parent === undefined ? call : call.set(idempotency, level);
  };
  return {
    unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeadersSource,
      input: MessageInitShape<I>,
      contextValues?: ContextValues,
    ): Promise<UnaryResponse<I, O>> {
      const fields = fieldsOf(header);
      let framed: Uint8Array;
      try {
        framed = encode(method.input, input, limitBytes);
      } catch (refusal) {
        return Promise.reject(HeddleError.from(refusal));
      }
      const call = callFor(method, fields, timeoutMs, contextValues);
      obey(signal, call);
      return settleThen(
        service,
        singleRequest(method, fields, framed),
        call,
        (result) => new UnaryAnswer(method, valueOf(result)),
      );
    },
    async stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeadersSource,
      input: AsyncIterable<MessageInitShape<I>>,
      contextValues?: ContextValues,
    ): Promise<StreamResponse<I, O>> {
      const fields = fieldsOf(header);
      const req: RpcRequest =
        method.methodKind === 'server_streaming'
          ? singleRequest(method, fields, encode(method.input, await only(input), limitBytes))
          : { method, fields, input: encodeAll(method.input, input, limitBytes) };
      const call = callFor(method, fields, timeoutMs, contextValues);
      obey(signal, call);
      return new StreamAnswer(method, await perform(service, req, call));
    },
  };
}

/** Gives the call up when the signal says so. */
function obey(signal: AbortSignal | undefined, call: Call): void {
  if (signal === undefined) return;
  const onAbort = (): void => {
    const message = 'the caller has aborted the call';
    call.cancel(new HeddleError({ code: 'cancelled', reason: 'ABORTED', message, cause: signal.reason }));
  };
  if (signal.aborted) return onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  call.onEnd(() => signal.removeEventListener('abort', onAbort));
}

/** A message with gRPC's head before it. */
function encode<I extends DescMessage>(
  schema: I,
  input: MessageInitShape<I>,
  limitBytes: number,
): Uint8Array {
  const framed = encodeFramed(schema, input);
  const bytes = framed.byteLength - headBytes;
  if (bytes > limitBytes) throw messageTooLarge(limitBytes, bytes).with({ sent: false });
  return framed;
}

async function* encodeAll<I extends DescMessage>(
  schema: I,
  inputs: AsyncIterable<MessageInitShape<I>>,
  limitBytes: number,
): AsyncGenerator<Uint8Array, void> {
  for await (const input of inputs) yield encode(schema, input, limitBytes).subarray(headBytes);
}

async function only<T>(messages: AsyncIterable<T>): Promise<T> {
  for await (const message of messages) return message;
  const message = 'this method takes one message, and none was given';
  throw new HeddleError({ code: 'invalid_argument', reason: 'MESSAGE_COUNT', message, sent: false });
}
