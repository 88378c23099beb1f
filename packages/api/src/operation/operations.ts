import type { DescMethod } from '@bufbuild/protobuf';
import type { Contract } from '../contract/contract.ts';
import { rpcServices } from '../contract/descriptors.ts';
import type { JsonObject } from '../contract/json.ts';
import { httpOperations } from './http-operations.ts';
import { messageOperations } from './message-operations.ts';

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

/** All operations of a contract: of HTTP by path, of gRPC, of messages. Throws `BAD_CONTRACT` for descriptors that are none. */
export function operationsOf(contract: Contract): readonly Operation[] {
  return [
    ...httpOperations(contract.openapi),
    ...rpcOperations(contract),
    ...messageOperations(contract.asyncapi),
  ];
}

function rpcOperations(contract: Contract): readonly RpcOperationIn[] {
  return rpcServices(contract).flatMap(({ typeName, methods: all }) =>
    all.map((method) => ({
      kind: 'grpc' as const,
      id: `${typeName}/${method.name}`,
      summary: `${streamWord(method, 'client')}${method.input.name} to ${streamWord(method, 'server')}${method.output.name}`,
      method,
    })),
  );
}

function streamWord({ methodKind }: DescMethod, side: 'client' | 'server'): string {
  return methodKind === `${side}_streaming` || methodKind === 'bidi_streaming' ? 'stream of ' : '';
}
