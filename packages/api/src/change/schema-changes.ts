import { canonical, isObject, type JsonObject, listOr, objectOr, textOr } from '../contract/json.ts';
import { wholeSchema } from '../contract/whole-schema.ts';
import type { ChangeLevel } from './contract-change.ts';

/** Who writes what a schema is of: clients (`request`) or the service (`response`). */
export type Side = 'request' | 'response';

/** A difference between two schemas. */
export interface SchemaChange {
  readonly rule: string;
  readonly level: ChangeLevel;
  readonly at: string;
  readonly message: string;
}

/** Two documents, for their references. */
export interface Documents {
  readonly before: JsonObject;
  readonly after: JsonObject;
}

interface Compared extends Documents {
  readonly side: Side;
  /**
   * What is known of pairs, with places from there on; empty for those that are being compared, since schemas may contain
   * themselves.
   */
  readonly known: Map<string, readonly SchemaChange[]>;
}

const anything = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];

/**
 * What differs between two schemas. A request must go on taking all that it took; a response must not bring what it did
 * not bring.
 */
export function schemaChanges(
  before: unknown,
  after: unknown,
  side: Side,
  documents: Documents,
  at: string,
): SchemaChange[] {
  return compared(before, after, { ...documents, side, known: new Map() }, at);
}

/** Of one pair: a schema that is used everywhere would bring all of its changes everywhere. */
const mostChanges = 50;
const order = { breaking: 0, warning: 1, compatible: 2 };

function compared(before: unknown, after: unknown, world: Compared, at: string): SchemaChange[] {
  const pair = `${canonical(before)} ${canonical(after)}`;
  let changes = world.known.get(pair);
  if (changes === undefined) {
    world.known.set(pair, []);
    changes = differences(before, after, world);
    world.known.set(pair, changes);
  }
  return changes.map((one) => ({ ...one, at: joined(at, one.at) }));
}

function joined(at: string, within: string): string {
  if (at === '' || within === '') return at + within;
  return /^(\[\]|\.)/.test(within) ? at + within : `${at}.${within}`;
}

function differences(before: unknown, after: unknown, world: Compared): readonly SchemaChange[] {
  const [old, now] = [wholeSchema(world.before, before), wholeSchema(world.after, after)];
  const all = [
    ...typeChanges(old, now, world, ''),
    ...valueChanges(old, now, world, ''),
    ...boundChanges(old, now, world, ''),
    ...textChanges(old, now, world, ''),
    ...alternativeChanges(old, now, world, ''),
    ...propertyChanges(old, now, world, ''),
    ...itemChanges(old, now, world, ''),
  ];
  if (all.length <= mostChanges) return all;
  return all.toSorted((a, b) => order[a.level] - order[b.level]).slice(0, mostChanges);
}

function typesOf(schema: JsonObject): readonly string[] {
  const { type, nullable } = schema;
  const given = Array.isArray(type) ? type.map(String) : typeof type === 'string' ? [type] : anything;
  return nullable === true ? [...given, 'null'] : given;
}

/** A whole number is a number. */
function isAmong(type: string, types: readonly string[]): boolean {
  return types.includes(type) || (type === 'integer' && types.includes('number'));
}

function typeChanges(old: JsonObject, now: JsonObject, { side }: Compared, at: string): SchemaChange[] {
  const [before, after] = [typesOf(old), typesOf(now)];
  const [lost, won] = [
    before.filter((type) => !isAmong(type, after)),
    after.filter((type) => !isAmong(type, before)),
  ];
  const broken = side === 'request' ? lost : won;
  if (broken.length === 0) {
    if (lost.length + won.length === 0) return [];
    return [change('compatible', `${side}-type-changed`, at, `${words(before)} is now ${words(after)}`)];
  }
  const rule = side === 'request' ? 'request-type-narrowed' : 'response-type-widened';
  return [change('breaking', rule, at, `was ${words(before)}, is ${words(after)}`)];
}

function words(types: readonly string[]): string {
  return types.length === anything.length ? 'anything' : types.join(' or ');
}

function valuesOf({ enum: values, const: only }: JsonObject): readonly string[] | undefined {
  if (only !== undefined) return [canonical(only)];
  return Array.isArray(values) ? values.map(canonical) : undefined;
}

function valueChanges(old: JsonObject, now: JsonObject, { side }: Compared, at: string): SchemaChange[] {
  const [before, after] = [valuesOf(old), valuesOf(now)];
  if (before === undefined && after === undefined) return [];
  const lost =
    after === undefined ? [] : (before ?? ['any other value']).filter((one) => !after.includes(one));
  const won =
    before === undefined ? [] : (after ?? ['any other value']).filter((one) => !before.includes(one));
  const changes: SchemaChange[] = [];
  if (lost.length > 0)
    changes.push(
      change(
        side === 'request' ? 'breaking' : 'compatible',
        `${side}-values-removed`,
        at,
        `no longer ${lost.join(', ')}`,
      ),
    );
  if (won.length > 0)
    changes.push(
      change(
        side === 'request' ? 'compatible' : 'breaking',
        `${side}-values-added`,
        at,
        `may now be ${won.join(', ')}`,
      ),
    );
  return changes;
}

/** Bounds from below and from above. */
const bounds: readonly (readonly [name: string, isUpper: boolean])[] = [
  ['maximum', true],
  ['exclusiveMaximum', true],
  ['maxLength', true],
  ['maxItems', true],
  ['maxProperties', true],
  ['minimum', false],
  ['exclusiveMinimum', false],
  ['minLength', false],
  ['minItems', false],
  ['minProperties', false],
];

function boundChanges(old: JsonObject, now: JsonObject, { side }: Compared, at: string): SchemaChange[] {
  return bounds.flatMap(([name, isUpper]) => {
    const none = isUpper ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    const [before, after] = [old[name], now[name]].map((one) => (typeof one === 'number' ? one : none)) as [
      number,
      number,
    ];
    if (before === after) return [];
    const isTighter = isUpper ? after < before : after > before;
    const said = `${name} was ${finite(before)}, is ${finite(after)}`;
    // What answers bring within new bounds mostly fits all the same.
    if (side === 'request')
      return [
        change(
          isTighter ? 'breaking' : 'compatible',
          `request-${isTighter ? 'tightened' : 'loosened'}`,
          at,
          said,
        ),
      ];
    return [
      change(
        isTighter ? 'compatible' : 'warning',
        `response-${isTighter ? 'tightened' : 'loosened'}`,
        at,
        said,
      ),
    ];
  });
}

function finite(bound: number): string {
  return Number.isFinite(bound) ? String(bound) : 'none';
}

function textChanges(old: JsonObject, now: JsonObject, { side }: Compared, at: string): SchemaChange[] {
  return ['pattern', 'format'].flatMap((name) => {
    const [before, after] = [old[name], now[name]];
    if (before === after) return [];
    const said = `${name} was ${textOr(before) || 'none'}, is ${textOr(after) || 'none'}`;
    const isBreaking = side === 'request' && after !== undefined;
    const level = isBreaking
      ? 'breaking'
      : side === 'request' || before === undefined
        ? 'compatible'
        : 'warning';
    return [change(level, `${side}-${name}-changed`, at, said)];
  });
}

function alternativeChanges(old: JsonObject, now: JsonObject, world: Compared, at: string): SchemaChange[] {
  const alternatives = (schema: JsonObject): readonly unknown[] => [
    ...listOr(schema['oneOf']),
    ...listOr(schema['anyOf']),
  ];
  const [before, after] = [alternatives(old), alternatives(now)];
  if (before.length === 0 && after.length === 0) return [];
  // None at all is the one alternative that takes anything.
  const [olds, nows] = [before.length === 0 ? [{}] : before, after.length === 0 ? [{}] : after];
  const fits = (one: unknown, other: unknown): boolean =>
    !compared(one, other, world, at).some(({ level }) => level === 'breaking');
  const lost = olds.filter((one) => !nows.some((other) => fits(one, other)));
  const won = nows.filter((one) => !olds.some((other) => fits(other, one)));
  if (world.side === 'request' && lost.length > 0)
    return [
      change(
        'breaking',
        'request-alternative-removed',
        at,
        `${lost.length} of ${olds.length} no longer taken`,
      ),
    ];
  if (world.side === 'response' && won.length > 0)
    return [change('breaking', 'response-alternative-added', at, `${won.length} that did not come before`)];
  return lost.length + won.length === 0
    ? []
    : [change('compatible', `${world.side}-alternatives-changed`, at, 'others than before')];
}

function propertyChanges(old: JsonObject, now: JsonObject, world: Compared, at: string): SchemaChange[] {
  const [before, after] = [objectOr(old['properties']), objectOr(now['properties'])];
  const [required, requires] = [listOr(old['required']), listOr(now['required'])];
  const { side } = world;
  // What the other side writes is none of this one's business.
  const others = side === 'request' ? 'readOnly' : 'writeOnly';
  const isOthers = (document: JsonObject, schema: unknown): boolean =>
    isObject(schema) && wholeSchema(document, schema)[others] === true;
  const isClosed = now['additionalProperties'] === false;
  const changes: SchemaChange[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const place = at === '' ? name : `${at}.${name}`;
    if (isOthers(world.before, before[name]) || isOthers(world.after, after[name])) continue;
    if (!(name in after)) changes.push(removed(side, place, isClosed, required.includes(name)));
    else if (!(name in before)) {
      const level = side === 'request' && requires.includes(name) ? 'breaking' : 'compatible';
      const rule = level === 'breaking' ? 'request-property-required' : `${side}-property-added`;
      changes.push(change(level, rule, place, level === 'breaking' ? 'is new and required' : 'is new'));
    } else {
      changes.push(...compared(before[name], after[name], world, place));
      changes.push(...requirementChanges(side, place, required.includes(name), requires.includes(name)));
    }
  }
  if (side === 'request' && isClosed && old['additionalProperties'] !== false)
    changes.push(
      change('breaking', 'request-closed', at, 'further properties were taken, and no longer are'),
    );
  return changes;
}

function removed(side: Side, at: string, isClosed: boolean, wasRequired: boolean): SchemaChange {
  if (side === 'response') return change('breaking', 'response-property-removed', at, 'is no longer sent');
  if (isClosed) return change('breaking', 'request-property-removed', at, 'is no longer taken');
  const said = wasRequired ? 'was required, and is passed over now' : 'is passed over now';
  return change('warning', 'request-property-removed', at, said);
}

function requirementChanges(side: Side, at: string, was: boolean, is: boolean): SchemaChange[] {
  if (was === is) return [];
  if (side === 'request')
    return is
      ? [change('breaking', 'request-property-required', at, 'was optional, is required')]
      : [change('compatible', 'request-property-optional', at, 'was required, is optional')];
  return is
    ? [change('compatible', 'response-property-required', at, 'always comes now')]
    : [change('breaking', 'response-property-optional', at, 'always came, and may be missing now')];
}

function itemChanges(old: JsonObject, now: JsonObject, world: Compared, at: string): SchemaChange[] {
  const inner = (name: string, place: string): SchemaChange[] => {
    const [before, after] = [old[name], now[name]];
    if (!isObject(before) && !isObject(after)) return [];
    return compared(isObject(before) ? before : {}, isObject(after) ? after : {}, world, place);
  };
  return [...inner('items', `${at}[]`), ...inner('additionalProperties', `${at}.*`)];
}

function change(level: ChangeLevel, rule: string, at: string, message: string): SchemaChange {
  return { level, rule, at, message };
}
