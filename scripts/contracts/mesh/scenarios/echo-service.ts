import { createFileRegistry, create, type DescMethodUnary, type DescService } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  type StringValueSchema,
} from '@bufbuild/protobuf/wkt';
import type { RpcHandlers, RpcRouter } from '@heddle/rpc';
import type { Echo } from './echo.ts';

const texts = '.google.protobuf.StringValue';

/** `shop.Echo`, as `sayMethod` speaks it. */
const description: DescService = describe();
/** Its one method. */
export const sayDescription = description.method['say'] as DescMethodUnary<
  typeof StringValueSchema,
  typeof StringValueSchema
>;

/** A backend as a service of ours. */
export function echoService(router: RpcRouter, echo: Echo): void {
  const handlers = {
    say: (): { readonly value: string } => {
      echo.calls += 1;
      return { value: echo.name };
    },
  };
  // A contract that is made at run time has no types.
  router.service(description, handlers as unknown as RpcHandlers<DescService>);
}

function describe(): DescService {
  const file = create(FileDescriptorProtoSchema, {
    name: 'echo.proto',
    package: 'shop',
    syntax: 'proto3',
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [{ name: 'Echo', method: [{ name: 'Say', inputType: texts, outputType: texts }] }],
  });
  const found = createFileRegistry(file, () => file_google_protobuf_wrappers).getService('shop.Echo');
  if (found === undefined) throw new Error('shop.Echo is not described');
  return found;
}
