import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import type { Idempotency, Replay, Service } from '@heddle/kernel';
import type { Fields } from '@heddle/wire';
import { headBytes } from '../codec/encode-framed.ts';

/** One call as the client's layers see it: messages are bytes already, so that a retry encodes nothing again. */
export interface RpcRequest {
  readonly method: DescMethod;
  /** Metadata that the caller wants sent. */
  readonly fields: Fields;
  /** The one message of a unary or server-streaming call; else the messages, which can be read once. */
  readonly input: Uint8Array | AsyncIterable<Uint8Array>;
  /** The one message with gRPC's head before it, where it was made so: it need not be copied to be sent. */
  readonly framed?: { readonly input: Uint8Array; readonly bytes: Uint8Array } | undefined;
}

/** A request with one message, which was encoded with gRPC's head before it. */
export function singleRequest(method: DescMethod, fields: Fields, bytes: Uint8Array): RpcRequest {
  const input = bytes.subarray(headBytes);
  return { method, fields, input, framed: { input, bytes } };
}

/** The one message with its head, if there is one and no layer has put another in its place. */
export function framedOf({ framed, input }: RpcRequest): Uint8Array | undefined {
  return framed?.input === input ? framed.bytes : undefined;
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

interface Names {
  readonly operation: string;
  readonly path: string;
}

// Joined once for each method.
const known = new WeakMap<DescMethod, Names>();

function namesOf(method: DescMethod): Names {
  const names = known.get(method);
  if (names !== undefined) return names;
  const operation = `${method.parent.typeName}/${method.name}`;
  const made = { operation, path: `/${operation}` };
  known.set(method, made);
  return made;
}

/** `package.Service/Method`, as people have it. */
export function operationOf({ method }: RpcRequest): string {
  return namesOf(method).operation;
}

/** `/package.Service/Method`. */
export function pathOf({ method }: RpcRequest): string {
  return namesOf(method).path;
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
