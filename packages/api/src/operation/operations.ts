import type { DescMethod } from '@bufbuild/protobuf';
import type { Contract } from '../contract/contract.ts';
import { rpcServices } from '../contract/descriptors.ts';
import { httpOperations } from './http-operations.ts';
import { messageOperations } from './message-operations.ts';
import type { Operation, RpcOperationIn } from './operation.ts';

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
