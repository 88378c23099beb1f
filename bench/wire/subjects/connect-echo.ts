// The service of the bench as protobuf describes it, made here so that nothing has to be generated.
import {
  create,
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  type DescService,
} from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';

const field = (name: string, number: number, type: Type): object => ({
  name,
  jsonName: name,
  number,
  type,
  label: Label.OPTIONAL,
});

const file = create(FileDescriptorProtoSchema, {
  name: 'echo.proto',
  package: 'bench',
  syntax: 'proto3',
  messageType: [
    { name: 'Payload', field: [field('body', 1, Type.BYTES)] },
    { name: 'StreamRequest', field: [field('count', 1, Type.FIXED32), field('size', 2, Type.FIXED32)] },
  ],
  service: [
    {
      name: 'Echo',
      method: [
        { name: 'Unary', inputType: '.bench.Payload', outputType: '.bench.Payload' },
        {
          name: 'ServerStream',
          inputType: '.bench.StreamRequest',
          outputType: '.bench.Payload',
          serverStreaming: true,
        },
      ],
    },
  ],
});

const found = createFileRegistry(file, () => undefined).getService('bench.Echo');
if (found === undefined) throw new Error('the descriptor holds no bench.Echo');

/** The service. */
export const service: DescService = found;

/** The messages and methods of `bench.Echo`. */
export const unary: DescMethod = service.method['unary'] as DescMethod;
export const serverStream: DescMethod = service.method['serverStream'] as DescMethod;
export const payload: DescMessage = unary.input;
