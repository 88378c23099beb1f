import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import type { Json, JsonObject } from '../contract/json.ts';

const deepest = 4;

const wellKnown: Readonly<Record<string, Json>> = {
  'google.protobuf.Timestamp': '2026-01-31T12:00:00Z',
  'google.protobuf.Duration': '1s',
  'google.protobuf.FieldMask': '',
  'google.protobuf.Struct': {},
  'google.protobuf.Value': 'text',
  'google.protobuf.ListValue': [],
  'google.protobuf.Empty': {},
  'google.protobuf.StringValue': 'text',
  'google.protobuf.BytesValue': 'dGV4dA==',
  'google.protobuf.BoolValue': true,
  'google.protobuf.DoubleValue': 1,
  'google.protobuf.FloatValue': 1,
  'google.protobuf.Int32Value': 1,
  'google.protobuf.UInt32Value': 1,
  'google.protobuf.Int64Value': '1',
  'google.protobuf.UInt64Value': '1',
};

/** A message with something in every field, as JSON; of a oneof, its first. Text is the field's own name. */
export function messageExample(message: DescMessage, depth = 0): Json {
  const known = wellKnown[message.typeName];
  if (known !== undefined) return known;
  const made: Record<string, Json> = {};
  for (const field of message.fields) {
    if (field.oneof !== undefined && field.oneof.fields[0] !== field) continue;
    const value = depth > deepest ? undefined : fieldExample(field, depth);
    if (value !== undefined) made[field.jsonName] = value;
  }
  return made satisfies JsonObject;
}

function fieldExample(field: DescField, depth: number): Json | undefined {
  // Any needs a type that nobody has named.
  if (field.message?.typeName === 'google.protobuf.Any') return undefined;
  const value = singleExample(field, depth);
  if (field.fieldKind === 'list') return [value];
  if (field.fieldKind !== 'map') return value;
  return {
    [field.mapKey === ScalarType.STRING ? 'key' : field.mapKey === ScalarType.BOOL ? 'true' : '1']: value,
  };
}

function singleExample({ scalar, enum: values, message, name }: DescField, depth: number): Json {
  if (message !== undefined) return messageExample(message, depth + 1);
  if (values !== undefined) return (values.values[1] ?? values.values[0])?.name ?? 0;
  switch (scalar) {
    case ScalarType.STRING:
      return name;
    case ScalarType.BYTES:
      return Buffer.from(name).toString('base64');
    case ScalarType.BOOL:
      return true;
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return '1';
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
    case ScalarType.INT32:
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
    case ScalarType.SINT32:
    case undefined:
      return 1;
  }
}
