import {
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** What is known of the files that some services are declared in, and of all files that those import. */
export class Descriptors {
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();
  readonly #extensions = new Map<string, Map<number, DescFile>>();

  constructor(services: readonly DescService[]) {
    for (const { file } of services) this.#add(file);
  }

  /** By the name under which it is imported. */
  file(name: string): DescFile | undefined {
    return this.#files.get(name);
  }

  /** The file that declares a message, enum, extension, service or method of this full name. */
  containing(symbol: string): DescFile | undefined {
    return this.#symbols.get(symbol);
  }

  /** The file that declares the extension of that message with that number. */
  containingExtension(extendee: string, number: number): DescFile | undefined {
    return this.#extensions.get(extendee)?.get(number);
  }

  /** The numbers of all known extensions of a message; undefined for a message that is not known. */
  extensionNumbers(extendee: string): number[] | undefined {
    const known = this.#extensions.get(extendee);
    if (known !== undefined) return [...known.keys()].toSorted((a, b) => a - b);
    return this.#symbols.has(extendee) ? [] : undefined;
  }

  #add(file: DescFile): void {
    if (this.#files.has(file.proto.name)) return;
    this.#files.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      this.#symbols.set(type.typeName, file);
      if (type.kind === 'extension') this.#addExtension(type, file);
      else if (type.kind === 'service')
        for (const method of type.methods) this.#symbols.set(`${type.typeName}.${method.name}`, file);
    }
    for (const dependency of file.dependencies) this.#add(dependency);
  }

  #addExtension(extension: DescExtension, file: DescFile): void {
    const extendee: DescMessage = extension.extendee;
    const numbers = this.#extensions.get(extendee.typeName) ?? new Map<number, DescFile>();
    this.#extensions.set(extendee.typeName, numbers.set(extension.number, file));
  }
}

/** The file and all that it needs, each as a serialized `FileDescriptorProto`, but for those that `sent` names already. */
export function serialized(file: DescFile, sent: Set<string>): Uint8Array[] {
  if (sent.has(file.proto.name)) return [];
  sent.add(file.proto.name);
  const own = toBinary(FileDescriptorProtoSchema, file.proto);
  return [own, ...file.dependencies.flatMap((dependency) => serialized(dependency, sent))];
}
