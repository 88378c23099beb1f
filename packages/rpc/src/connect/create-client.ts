import type { DescService } from '@bufbuild/protobuf';
import {
  type CallOptions,
  type Client,
  createClient as connectClient,
  type Transport,
} from '@connectrpc/connect';
import { HeddleError } from '@heddle/kernel';

type StreamingCall = (input: unknown, options?: CallOptions) => AsyncIterable<unknown>;

/**
 * Connect's `createClient`, with one difference: leaving the loop over a response that streams gives the call up.
 * Connect's own does not tell the transport, so the stream would stay open, and hold what it has not read against its
 * connection's window, until its deadline.
 */
export function createClient<Desc extends DescService>(service: Desc, transport: Transport): Client<Desc> {
  const client: Client<Desc> = connectClient(service, transport);
  const calls = client as Record<string, unknown>;
  for (const { localName, methodKind } of service.methods) {
    if (methodKind !== 'server_streaming' && methodKind !== 'bidi_streaming') continue;
    calls[localName] = leavable(calls[localName] as StreamingCall);
  }
  return client;
}

function aborted(cause: unknown): HeddleError {
  const message = 'the caller has aborted the call';
  return new HeddleError({ code: 'cancelled', reason: 'ABORTED', message, cause });
}

function leavable(call: StreamingCall): StreamingCall {
  return (input, options = {}) => {
    const leaving = new AbortController();
    const { signal } = options;
    const abort = (): void => leaving.abort(signal?.reason);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    const done = (): void => signal?.removeEventListener('abort', abort);
    const messages = call(input, { ...options, signal: leaving.signal })[Symbol.asyncIterator]();
    const iterator: AsyncIterator<unknown> = {
      async next() {
        try {
          // The whole answer may have come before the call was given up; what is left of it is not wanted all the same.
          if (leaving.signal.aborted) throw aborted(signal?.reason);
          const step = await messages.next();
          if (step.done === true) done();
          return step;
        } catch (error) {
          done();
          throw error;
        }
      },
      async return() {
        done();
        leaving.abort();
        return { done: true, value: undefined };
      },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  };
}
