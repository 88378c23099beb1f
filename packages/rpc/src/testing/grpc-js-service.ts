import {
  create,
  type DescMessage,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/** A service of protobuf-es as grpc-js wants it: for the tests that put grpc-js at the other end. */
export function grpcJsService(schema: DescService): ServiceDefinition {
  const definitions: Record<string, MethodDefinition<object, object>> = {};
  for (const method of schema.methods) {
    definitions[method.localName] = {
      path: `/${schema.typeName}/${method.name}`,
      requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
      requestSerialize: serialize(method.input),
      requestDeserialize: (bytes) => fromBinary(method.input, bytes),
      responseSerialize: serialize(method.output),
      responseDeserialize: (bytes) => fromBinary(method.output, bytes),
    };
  }
  return definitions;
}

function serialize(schema: DescMessage): (value: object) => Buffer {
  return (value) => Buffer.from(toBinary(schema, create(schema, value as MessageInitShape<DescMessage>)));
}
