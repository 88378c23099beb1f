import { type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence as Presence } from '@bufbuild/protobuf/wkt';
import { type MessageWriter, unusual } from './message-writer.ts';

/** Writes the fields of one message, without its length. Throws `unusual`. */
export type Encoder = (writer: MessageWriter, message: Message) => void;

type WriteValue = (writer: MessageWriter, value: unknown) => void;
type WriteField = (writer: MessageWriter, message: Readonly<Record<string, unknown>>) => void;

const encoders = new WeakMap<DescMessage, { encoder: Encoder | undefined }>();

/**
 * What writes messages of this type, made once; undefined for types that have something rare (maps, groups, required
 * fields, well-known types, which have forms of their own in JavaScript): those are protobuf-es's to write.
 */
export function encoderOf(schema: DescMessage): Encoder | undefined {
  const known = encoders.get(schema);
  if (known !== undefined) return known.encoder;
  const made = { encoder: isPlain(schema, new Set()) ? compile(schema) : undefined };
  encoders.set(schema, made);
  return made.encoder;
}

function isPlain(schema: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(schema)) return true;
  seen.add(schema);
  if (schema.typeName.startsWith('google.protobuf.')) return false;
  return schema.fields.every((field) => {
    if (field.fieldKind === 'map' || field.presence === Presence.LEGACY_REQUIRED) return false;
    if (field.message === undefined) return true;
    return !field.delimitedEncoding && isPlain(field.message, seen);
  });
}

function compile(schema: DescMessage): Encoder {
  const fields = schema.fields.toSorted((a, b) => a.number - b.number);
  let writers: readonly WriteField[] | undefined;
  return (writer, message) => {
    if (message.$typeName !== schema.typeName || (message.$unknown?.length ?? 0) > 0) throw unusual;
    // Made at first use: types may refer to each other.
    writers ??= fields.map(fieldWriter);
    const fieldsOf = message as unknown as Readonly<Record<string, unknown>>;
    for (const write of writers) write(writer, fieldsOf);
  };
}

function fieldWriter(field: DescField): WriteField {
  const { localName } = field;
  if (field.fieldKind === 'list') return listWriter(field);
  const write = taggedWriter(field);
  if (field.oneof !== undefined) {
    const group = field.oneof.localName;
    return (writer, message) => {
      const chosen = message[group] as { readonly case?: string; readonly value?: unknown };
      if (chosen.case === localName) write(writer, chosen.value);
    };
  }
  if (field.presence !== Presence.IMPLICIT) {
    return (writer, message) => {
      const value = message[localName];
      // In proto2 a field that is not set shows its default, from the prototype.
      if (value !== undefined && Object.hasOwn(message, localName)) write(writer, value);
    };
  }
  const isZero = zeroTest(field);
  return (writer, message) => {
    const value = message[localName];
    if (!isZero(value)) write(writer, value);
  };
}

function zeroTest(field: DescField): (value: unknown) => boolean {
  if (field.enum !== undefined) {
    const zero = field.enum.values[0]?.number;
    return (value) => value === zero;
  }
  const { scalar } = field;
  if (scalar === ScalarType.STRING) return (value) => value === '';
  if (scalar === ScalarType.BOOL) return (value) => value === false;
  if (scalar === ScalarType.BYTES) return (value) => value instanceof Uint8Array && value.byteLength === 0;
  // Minus zero is not zero here.
  if (scalar === ScalarType.DOUBLE || scalar === ScalarType.FLOAT) return (value) => Object.is(value, 0);
  return (value) => value === 0 || value === 0n;
}

function listWriter(field: DescField & { fieldKind: 'list' }): WriteField {
  const { localName, number } = field;
  if (field.listKind !== 'message' && field.packed) {
    const write = scalarWriter(field.listKind === 'enum' ? ScalarType.INT32 : field.scalar);
    const tag = tagOf(number, lengthDelimited);
    return (writer, message) => {
      const values = message[localName] as readonly unknown[];
      if (values.length === 0) return;
      writer.varint(tag);
      const start = writer.open();
      for (const value of values) write(writer, value);
      writer.close(start);
    };
  }
  const write = taggedWriter(field);
  return (writer, message) => {
    for (const value of message[localName] as readonly unknown[]) write(writer, value);
  };
}

/** One value with its tag. */
function taggedWriter(field: DescField): WriteValue {
  if (field.message !== undefined) return messageWriter(field.number, field.message);
  const type = field.scalar ?? ScalarType.INT32;
  const tag = tagOf(field.number, wireTypeOf(type));
  const write = scalarWriter(type);
  return (writer, value) => {
    writer.varint(tag);
    write(writer, value);
  };
}

function messageWriter(number: number, schema: DescMessage): WriteValue {
  const encode = compiled(schema);
  const tag = tagOf(number, lengthDelimited);
  return (writer, value) => {
    writer.varint(tag);
    const start = writer.open();
    encode(writer, value as Message);
    writer.close(start);
  };
}

/** All that a plain type refers to is plain. */
function compiled(schema: DescMessage): Encoder {
  const encoder = encoderOf(schema);
  if (encoder === undefined) throw unusual;
  return encoder;
}

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

function tagOf(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}

const wireTypes: Partial<Record<ScalarType, number>> = {
  [ScalarType.DOUBLE]: fixed64,
  [ScalarType.FIXED64]: fixed64,
  [ScalarType.SFIXED64]: fixed64,
  [ScalarType.FLOAT]: fixed32,
  [ScalarType.FIXED32]: fixed32,
  [ScalarType.SFIXED32]: fixed32,
  [ScalarType.STRING]: lengthDelimited,
  [ScalarType.BYTES]: lengthDelimited,
};

function wireTypeOf(type: ScalarType): number {
  return wireTypes[type] ?? varint;
}

const scalarWriters: Record<ScalarType, WriteValue> = {
  [ScalarType.DOUBLE]: (writer, value) => writer.double(value),
  [ScalarType.FLOAT]: (writer, value) => writer.float(value),
  [ScalarType.INT64]: (writer, value) => writer.int64(value),
  [ScalarType.UINT64]: (writer, value) => writer.uint64(value),
  [ScalarType.INT32]: (writer, value) => writer.int32(value),
  [ScalarType.FIXED64]: (writer, value) => writer.fixed64(value),
  [ScalarType.FIXED32]: (writer, value) => writer.fixed32(value),
  [ScalarType.BOOL]: (writer, value) => writer.bool(value),
  [ScalarType.STRING]: (writer, value) => writer.string(value),
  [ScalarType.BYTES]: (writer, value) => writer.bytes(value),
  [ScalarType.UINT32]: (writer, value) => writer.uint32(value),
  [ScalarType.SFIXED32]: (writer, value) => writer.sfixed32(value),
  [ScalarType.SFIXED64]: (writer, value) => writer.sfixed64(value),
  [ScalarType.SINT32]: (writer, value) => writer.sint32(value),
  [ScalarType.SINT64]: (writer, value) => writer.sint64(value),
};

function scalarWriter(type: ScalarType): WriteValue {
  return scalarWriters[type];
}
