import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import type { ProtoRule } from './proto-rules.ts';
import { sameInJson, sameOnTheWire, typeName } from './wire-types.ts';

/** Something that a rule of buf names. */
export interface ProtoFinding {
  readonly rule: ProtoRule;
  /** The type it is in. */
  readonly type: string;
  /** The method it is of; undefined: all that use the type. */
  readonly method?: string;
  readonly at: string;
  readonly message: string;
}

interface Ranges {
  readonly reservedRange: readonly { readonly start: number; readonly end: number }[];
  readonly reservedName: readonly string[];
}

/** What of a message's fields and reservations differs. */
export function messageChanges(old: DescMessage, now: DescMessage): ProtoFinding[] {
  const type = old.typeName;
  const found = (rule: ProtoRule, at: string, message: string): ProtoFinding => ({
    rule,
    type,
    at: at === '' ? type : `${type}.${at}`,
    message,
  });
  const fields = new Map(now.fields.map((field) => [field.number, field]));
  const findings = old.fields.flatMap((field) => {
    const other = fields.get(field.number);
    if (other !== undefined)
      return fieldChanges(field, other).map(([rule, message]) => found(rule, field.name, message));
    return [...deletions('FIELD', field, now.proto), ...entryDeletion(field)].map(([rule, message]) =>
      found(rule, field.name, message),
    );
  });
  for (const { name, fields: members } of old.oneofs) {
    // One that is there only for `optional` is no oneof to anybody.
    const isSynthetic = members.every((field) => field.proto.proto3Optional);
    if (!isSynthetic && !now.oneofs.some((one) => one.name === name))
      findings.push(found('ONEOF_NO_DELETE', name, 'the oneof is no longer there'));
  }
  for (const message of lostReservations(old.proto, now.proto, 1))
    findings.push(found('RESERVED_MESSAGE_NO_DELETE', '', message));
  return findings;
}

/** What of an enum's values and reservations differs. */
export function enumChanges(old: DescEnum, now: DescEnum): ProtoFinding[] {
  const type = old.typeName;
  const found = (rule: ProtoRule, at: string, message: string): ProtoFinding => ({
    rule,
    type,
    at: at === '' ? type : `${type}.${at}`,
    message,
  });
  const findings: ProtoFinding[] = [];
  for (const number of new Set(old.values.map((value) => value.number))) {
    const names = (values: DescEnum['values']): string[] =>
      values.filter((value) => value.number === number).map((value) => value.name);
    const [before, after] = [names(old.values), names(now.values)];
    const [name = ''] = before;
    if (after.length === 0)
      for (const [rule, message] of deletions('ENUM_VALUE', { name, number }, now.proto))
        findings.push(found(rule, name, message));
    else if (before.some((one) => !after.includes(one)))
      findings.push(found('ENUM_VALUE_SAME_NAME', name, `number ${number} is ${after.join(', ')} now`));
  }
  for (const message of lostReservations(old.proto, now.proto, 0))
    findings.push(found('RESERVED_ENUM_NO_DELETE', '', message));
  return findings;
}

type Said = readonly [rule: ProtoRule, message: string];

function deletions(
  kind: 'FIELD' | 'ENUM_VALUE',
  { name, number }: { readonly name: string; readonly number: number },
  now: Ranges,
): Said[] {
  const said: Said[] = [[`${kind}_NO_DELETE`, `number ${number} is no longer there`]];
  if (!now.reservedName.includes(name))
    said.push([`${kind}_NO_DELETE_UNLESS_NAME_RESERVED`, `is gone, and its name is not reserved`]);
  // The end of a range is in it for enums, and behind it for messages.
  const last = kind === 'FIELD' ? 1 : 0;
  if (!now.reservedRange.some(({ start, end }) => start <= number && number <= end - last))
    said.push([
      `${kind}_NO_DELETE_UNLESS_NUMBER_RESERVED`,
      `is gone, and its number ${number} is not reserved`,
    ]);
  return said;
}

/** A map is a repeated message of its own in the descriptors, which goes with it. */
function entryDeletion({ fieldKind }: DescField): Said[] {
  return fieldKind === 'map' ? [['PACKAGE_MESSAGE_NO_DELETE', 'is no map any more']] : [];
}

function fieldChanges(old: DescField, now: DescField): Said[] {
  const said: Said[] = [];
  if (old.name !== now.name) said.push(['FIELD_SAME_NAME', `number ${old.number} is called ${now.name} now`]);
  if (old.jsonName !== now.jsonName) said.push(['FIELD_SAME_JSON_NAME', `is ${now.jsonName} in JSON now`]);
  const [before, after] = [typeName(old), typeName(now)];
  if (before !== after) {
    const message = `was ${before}, is ${after}`;
    said.push(['FIELD_SAME_TYPE', message]);
    if (!sameOnTheWire(old, now)) said.push(['FIELD_WIRE_COMPATIBLE_TYPE', message]);
    if (!sameInJson(old, now)) said.push(['FIELD_WIRE_JSON_COMPATIBLE_TYPE', message]);
  }
  if (now.fieldKind !== 'map') said.push(...entryDeletion(old));
  const [was, is] = [cardinality(old), cardinality(now)];
  if (was !== is) {
    const message = `was ${was}, is ${is}`;
    said.push(['FIELD_SAME_CARDINALITY', message]);
    if (many(old) !== many(now)) said.push(['FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY', message]);
    // A map is a list of its entries there.
    if ((many(old) === 'single') !== (many(now) === 'single'))
      said.push(['FIELD_WIRE_COMPATIBLE_CARDINALITY', message]);
  }
  if (realOneof(old) !== realOneof(now))
    said.push(['FIELD_SAME_ONEOF', oneofs(realOneof(old), realOneof(now))]);
  return said;
}

/** By number: whether it is told apart if a field was set. */
const presences: readonly (string | undefined)[] = [
  undefined,
  'single, known to be set',
  'single',
  'required',
];

function cardinality(field: DescField): string {
  if (field.fieldKind === 'map') return 'a map';
  if (field.fieldKind === 'list') return 'repeated';
  return presences[field.presence] ?? 'single';
}

function many({ fieldKind }: DescField): string {
  return fieldKind === 'map' || fieldKind === 'list' ? fieldKind : 'single';
}

function realOneof({ oneof, proto }: DescField): string | undefined {
  return proto.proto3Optional ? undefined : oneof?.name;
}

function oneofs(before: string | undefined, after: string | undefined): string {
  return `was in ${before ?? 'no oneof'}, is in ${after ?? 'none'}`;
}

function lostReservations(old: Ranges, now: Ranges, last: number): string[] {
  const lost = old.reservedRange
    .filter(({ start, end }) => !now.reservedRange.some((one) => one.start <= start && end <= one.end))
    .map(({ start, end }) => `the reserved numbers ${start} to ${end - last} are free again`);
  const names = old.reservedName.filter((name) => !now.reservedName.includes(name));
  return [...lost, ...names.map((name) => `the reserved name "${name}" is free again`)];
}
