import {
  createFileRegistry,
  type DescFile,
  type DescService,
  type FileRegistry,
  create,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { badContract } from './json.ts';
import type { Contract } from './contract.ts';

/** Services' files and all that they import, each once and after what it imports, as base64 of a `FileDescriptorSet`. */
export function descriptorsOf(services: readonly DescService[]): string {
  const files = new Map<string, FileDescriptorProto>();
  const add = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    for (const dependency of file.dependencies) add(dependency);
    files.set(file.proto.name, file.proto);
  };
  for (const { file } of services) add(file);
  return encodeDescriptors([...files.values()]);
}

/** Files as base64 of a `FileDescriptorSet`. */
export function encodeDescriptors(files: readonly FileDescriptorProto[]): string {
  const set = create(FileDescriptorSetSchema, { file: [...files] });
  return Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString('base64');
}

/** The files of descriptors. Throws `BAD_CONTRACT` for what is none, or lacks what it imports. */
export function readDescriptors(descriptors: string): FileRegistry {
  try {
    const set = fromBinary(FileDescriptorSetSchema, Buffer.from(descriptors, 'base64'));
    return createFileRegistry(set);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw badContract('the descriptors', [`expected a whole FileDescriptorSet: ${why}`]);
  }
}

/** The gRPC services of a contract, without those that every server has. */
export function rpcServices({ descriptors, services }: Contract): readonly DescService[] {
  if (descriptors === undefined) return [];
  const all = [...readDescriptors(descriptors)].filter((type) => type.kind === 'service');
  return all.filter(({ typeName }) => services?.includes(typeName) ?? !isInfrastructure(typeName));
}

/** Whether a service is one of gRPC's own: health, reflection, load. */
export function isInfrastructure(typeName: string): boolean {
  return /^(grpc\.(health|reflection|channelz)\.|xds\.service\.)/.test(typeName);
}
