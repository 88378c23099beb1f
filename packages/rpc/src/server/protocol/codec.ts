import {
  create,
  createRegistry,
  type DescFile,
  type DescMessage,
  fromBinary,
  fromJsonString,
  type MessageInitShape,
  type MessageShape,
  type Registry,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { HeddleError } from '@heddle/kernel';
import { frame } from '@heddle/wire';
import { encodeFramed } from '../../codec/encode-framed.ts';

/** Messages as bytes and back. */
export interface Codec {
  /** Throws `invalid_argument` / `BAD_MESSAGE` for what is not of this type. */
  decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc>;
  encode<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Uint8Array;
  /** The same with the head of an envelope before it. */
  encodeFramed<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Uint8Array;
}

/** Protobuf's binary format. */
export const proto: Codec = {
  decode: (schema, bytes) => orBadMessage(schema, () => fromBinary(schema, bytes)),
  encode: (schema, message) => toBinary(schema, create(schema, message)),
  encodeFramed,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Protobuf's JSON format. Fields that are not known are skipped, as in the binary one: the client may be newer. What is
 * in a `google.protobuf.Any` must be declared in the file of the message or in one that it imports.
 */
export const json: Codec = {
  decode: (schema, bytes) => {
    const options = { ignoreUnknownFields: true, registry: registryOf(schema.file) };
    return orBadMessage(schema, () => fromJsonString(schema, decoder.decode(bytes), options));
  },
  encode: (schema, message) =>
    encoder.encode(toJsonString(schema, create(schema, message), { registry: registryOf(schema.file) })),
  encodeFramed: (schema, message) => frame(json.encode(schema, message)),
};

const registries = new WeakMap<DescFile, Registry>();

/** The types that a file declares or imports, directly or not. */
function registryOf(file: DescFile): Registry {
  const known = registries.get(file);
  if (known !== undefined) return known;
  const files = new Set([file]);
  for (const each of files) for (const imported of each.dependencies) files.add(imported);
  const registry = createRegistry(...files);
  registries.set(file, registry);
  return registry;
}

function orBadMessage<T>(schema: DescMessage, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const message = `the request is not a ${schema.typeName}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_MESSAGE', message, cause });
  }
}
