import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DescFile } from '@bufbuild/protobuf';
import { numberOfCode } from '@heddle/wire';
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponseSchema,
} from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { RpcHandlers } from '../server/handlers.ts';
import type { RpcRouter } from '../server/rpc-service.ts';
import { Descriptors, serialized } from './descriptors.ts';

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse'];
type Question = ServerReflectionRequest['messageRequest'];

/**
 * Adds `grpc.reflection.v1` and `v1alpha` to a server: whoever can reach it can ask for its whole contract, so it is
 * off unless the application says otherwise. To be called last: it tells of what the router has then.
 * Source: grpc/grpc `doc/server-reflection.md`.
 */
export function serveReflection(router: RpcRouter): void {
  let known: Descriptors | undefined;
  const names = (): readonly string[] => router.services;
  const descriptors = (): Descriptors => (known ??= new Descriptors(router.schemas));
  const handlers: RpcHandlers<typeof ServerReflection> = {
    async *serverReflectionInfo(requests) {
      // A client keeps what it got on this stream, so no file goes twice.
      const sent = new Set<string>();
      for await (const request of requests) {
        const messageResponse = answer(request.messageRequest, descriptors(), names(), sent);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  };
  router.service(ServerReflection, handlers);
  // The two versions differ in nothing but their package.
  router.service(ServerReflectionAlpha, handlers as unknown as RpcHandlers<typeof ServerReflectionAlpha>);
}

function answer(
  question: Question,
  descriptors: Descriptors,
  services: readonly string[],
  sent: Set<string>,
): NonNullable<Answer> {
  switch (question.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return files(descriptors.file(question.value), question.value, sent);
    case 'fileContainingSymbol':
      return files(descriptors.containing(question.value), question.value, sent);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      const found = descriptors.containingExtension(containingType, extensionNumber);
      return files(found, `extension ${extensionNumber} of ${containingType}`, sent);
    }
    case 'allExtensionNumbersOfType': {
      const numbers = descriptors.extensionNumbers(question.value);
      if (numbers === undefined) return notFound(question.value);
      const value = { baseTypeName: question.value, extensionNumber: numbers };
      return { case: 'allExtensionNumbersResponse', value };
    }
    case undefined:
      return refusal('invalid_argument', 'the request asks nothing that is known here');
  }
}

function files(file: DescFile | undefined, what: string, sent: Set<string>): NonNullable<Answer> {
  if (file === undefined) return notFound(what);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: serialized(file, sent) } };
}

function notFound(what: string): NonNullable<Answer> {
  return refusal('not_found', `${what} is not known here`);
}

function refusal(code: 'not_found' | 'invalid_argument', errorMessage: string): NonNullable<Answer> {
  return { case: 'errorResponse', value: { errorCode: numberOfCode(code), errorMessage } };
}
