import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import type { Idempotency, Replay, Service } from '@heddle/kernel';
import type { Fields } from '@heddle/wire';

/** One call as the client's layers see it: messages are bytes already, so that a retry encodes nothing again. */
export interface RpcRequest {
  readonly method: DescMethod;
  /** Metadata that the caller wants sent. */
  readonly fields: Fields;
  /** The one message of a unary or server-streaming call; else the messages, which can be read once. */
  readonly input: Uint8Array | AsyncIterable<Uint8Array>;
}

/** What comes back once the server has answered. An error status is a rejection, not a response. */
export interface RpcResponse {
  /** The server's header fields. */
  readonly header: Fields;
  /** Its trailers; complete once all messages have been read. */
  readonly trailer: Fields;
  /** The one message of a unary call; else the messages, read as they are asked for. */
  readonly output: Uint8Array | AsyncIterable<Uint8Array>;
}

/** A client below its encoding: what the layers wrap. */
export type RpcService = Service<RpcRequest, RpcResponse>;

/** Only a single message can be sent again. */
export const replayRpc: Replay<RpcRequest> = (req) => (req.input instanceof Uint8Array ? req : undefined);

const operations = new WeakMap<DescMethod, string>();

/** `package.Service/Method`, as paths and people have it. Joined once for each method. */
export function operationOf({ method }: RpcRequest): string {
  let known = operations.get(method);
  if (known === undefined) operations.set(method, (known = `${method.parent.typeName}/${method.name}`));
  return known;
}

/** The method and its one message; undefined for one with many. Metadata counts too: it may change the answer. */
export function identityOf(req: RpcRequest): string | undefined {
  const { input, fields } = req;
  if (!(input instanceof Uint8Array)) return undefined;
  const message = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1');
  return `${operationOf(req)}\n${JSON.stringify(fields.raw)}\n${message}`;
}

/** A unary answer may be given to many; of a stream there is one. */
export function copiesOf(res: RpcResponse): (() => RpcResponse) | undefined {
  return res.output instanceof Uint8Array ? () => res : undefined;
}

/** What the method's `idempotency_level` option promises. */
export function idempotencyOf(method: DescMethod): Idempotency {
  if (method.idempotency === Level.NO_SIDE_EFFECTS) return 'no_side_effects';
  return method.idempotency === Level.IDEMPOTENT ? 'idempotent' : 'unknown';
}
