import type { DescMethod } from '@bufbuild/protobuf';
import type { Contract } from '../contract/contract.ts';
import { rpcServices } from '../contract/descriptors.ts';
import { dereferenced, type JsonObject, listOr, objectsIn, textOr } from '../contract/json.ts';

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
  /** For clients: in camelCase. */
  readonly name: string;
  /** With those that all operations of the path have; references are followed. */
  readonly parameters: readonly JsonObject[];
  /** As the document has it, references followed. */
  readonly body: JsonObject | undefined;
  /** By status. */
  readonly answers: readonly (readonly [status: string, answer: JsonObject])[];
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
  /** By name. */
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

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** Those of an OpenAPI document. */
export function httpOperations(document: JsonObject | undefined): readonly HttpOperationIn[] {
  if (document === undefined) return [];
  return objectsIn(document['paths']).flatMap(([path, item]) => {
    const shared = parametersIn(document, item['parameters']);
    return objectsIn(item)
      .filter(([method]) => methods.includes(method))
      .map(([method, operation]) => {
        const own = parametersIn(document, operation['parameters']);
        const isOwn = (one: JsonObject): boolean =>
          own.some((other) => other['name'] === one['name'] && other['in'] === one['in']);
        return {
          kind: 'http' as const,
          id: `${method.toUpperCase()} ${path}`,
          summary: textOr(operation['summary']) || textOr(operation['description']),
          method: method.toUpperCase(),
          path,
          name: textOr(operation['operationId']) || `${method}${path.replaceAll(/[^A-Za-z0-9]+/g, '_')}`,
          parameters: [...shared.filter((one) => !isOwn(one)), ...own],
          body: dereferenced(document, operation['requestBody']),
          answers: objectsIn(operation['responses']).map(
            ([status, answer]) => [status, dereferenced(document, answer) ?? {}] as const,
          ),
        };
      });
  });
}

function parametersIn(document: JsonObject, value: unknown): readonly JsonObject[] {
  return listOr(value)
    .map((one) => dereferenced(document, one))
    .filter((one) => one !== undefined);
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

/** Those of an AsyncAPI document. */
export function messageOperations(document: JsonObject | undefined): readonly MessageOperationIn[] {
  if (document === undefined) return [];
  return objectsIn(document['operations']).flatMap(([, operation]) => {
    const channel = dereferenced(document, operation['channel']);
    const { action } = operation;
    if (channel === undefined || (action !== 'send' && action !== 'receive')) return [];
    const address = textOr(channel['address']);
    const named = listOr(operation['messages']).map((one) => dereferenced(document, one));
    const all =
      operation['messages'] === undefined ? objectsIn(channel['messages']).map(([, one]) => one) : named;
    const messages = all
      .map((one) => dereferenced(document, one))
      .filter((one) => one !== undefined)
      .map((message) => [textOr(message['name']), message] as const);
    return [
      {
        kind: 'message' as const,
        id: `${action} ${address}`,
        summary: textOr(operation['summary']),
        action,
        address,
        messages,
      },
    ];
  });
}
