import type { DescMethod } from '@bufbuild/protobuf';
import type { JsonObject } from '../contract/json.ts';

/** Something that a service can be asked for, or a kind of message that it sends or takes. */
export type Operation = HttpOperationIn | RpcOperationIn | MessageOperationIn;

interface Named {
  /** `GET /orders/{orderId}`, `shop.user.v1.UserService/GetUser`, `send shop.orders`: unique within a contract. */
  readonly id: string;
  readonly summary: string;
}

/** One of HTTP. */
export interface HttpOperationIn extends Named {
  readonly kind: 'http';
  readonly method: string;
  readonly path: string;
  /** For clients: unique within the document. */
  readonly name: string;
  /** With those that all operations of the path have; references are followed, and each has a `schema`. */
  readonly parameters: readonly JsonObject[];
  /** As the document has it, references followed. */
  readonly body: JsonObject | undefined;
  /** By status. */
  readonly answers: readonly (readonly [status: string, answer: JsonObject])[];
  /** What a caller has to show: the names of one member of the list. Empty: nothing. */
  readonly security: readonly (readonly string[])[];
}

/** One of gRPC. */
export interface RpcOperationIn extends Named {
  readonly kind: 'grpc';
  readonly method: DescMethod;
}

/** One of messages. */
export interface MessageOperationIn extends Named {
  readonly kind: 'message';
  readonly action: 'send' | 'receive';
  /** The topic. */
  readonly address: string;
  /** By name; traits are applied, and `payload` is a JSON Schema, or missing for one in another language. */
  readonly messages: readonly (readonly [type: string, message: JsonObject])[];
}
