import { type DescField, ScalarType } from '@bufbuild/protobuf';

/** Types between which bytes go on meaning something (protobuf.dev/programming-guides/proto3#updating). */
const onTheWire: readonly (readonly ScalarType[])[] = [
  [ScalarType.INT32, ScalarType.UINT32, ScalarType.INT64, ScalarType.UINT64, ScalarType.BOOL],
  [ScalarType.SINT32, ScalarType.SINT64],
  [ScalarType.FIXED32, ScalarType.SFIXED32],
  [ScalarType.FIXED64, ScalarType.SFIXED64],
];

/** As JSON too, where 64 bits are text. */
const inJson: readonly (readonly ScalarType[])[] = [
  [ScalarType.INT32, ScalarType.UINT32],
  [ScalarType.INT64, ScalarType.UINT64],
  [ScalarType.FIXED32, ScalarType.SFIXED32],
  [ScalarType.FIXED64, ScalarType.SFIXED64],
];

/** The type of a field's single value, as a name: `string`, `enum shop.v1.Colour`, `map<string, shop.v1.Price>`. */
export function typeName(field: DescField): string {
  if (field.fieldKind === 'map') {
    const value =
      field.mapKind === 'scalar' ? scalarName(field.scalar) : (field.message ?? field.enum).typeName;
    return `map<${scalarName(field.mapKey)}, ${value}>`;
  }
  if (field.scalar !== undefined) return scalarName(field.scalar);
  return field.enum === undefined ? (field.message?.typeName ?? '') : `enum ${field.enum.typeName}`;
}

function scalarName(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

/** Whether bytes of the old type can be read as the new one; `false` for what are not both numbers or text. */
export function sameOnTheWire(before: DescField, after: DescField): boolean {
  const [old, now] = [before.scalar, after.scalar];
  // Not the other way round: bytes need not be text.
  if (old === ScalarType.STRING && now === ScalarType.BYTES) return true;
  return together(onTheWire, old, now);
}

/** Whether JSON of the old type can be read as the new one as well. */
export function sameInJson(before: DescField, after: DescField): boolean {
  return together(inJson, before.scalar, after.scalar);
}

function together(
  groups: readonly (readonly ScalarType[])[],
  old: ScalarType | undefined,
  now: ScalarType | undefined,
): boolean {
  return groups.some((group) => group.some((one) => one === old) && group.some((one) => one === now));
}
