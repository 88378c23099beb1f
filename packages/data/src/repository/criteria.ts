import { HeddleError } from '@heddle/kernel';
import type { Entity, FieldKind, Fields } from './entity.ts';

/** What a field must be: all that is said here. A field that is not there is less than nothing and more than nothing. */
export interface Condition<Value> {
  readonly eq?: Value | null;
  readonly ne?: Value | null;
  readonly lt?: Value;
  readonly lte?: Value;
  readonly gt?: Value;
  readonly gte?: Value;
  readonly in?: readonly Value[];
  /** Of texts. */
  readonly startsWith?: Value extends string ? string : never;
}

/** What entities must be, field by field; a bare value is `{ eq: value }`. */
export type Criteria<Kept extends Entity> = {
  readonly [Name in keyof Kept & string]?: Kept[Name] | Condition<NonNullable<Kept[Name]>>;
};

/** Which page, in which order. */
export interface PageOptions<Kept extends Entity> {
  /** Default `id`. Those without that field come last; those that are equal in it are ordered by id. */
  readonly orderBy?: keyof Kept & string;
  /** Default `ascending`. */
  readonly direction?: 'ascending' | 'descending';
  /** 1 to 1000. Default 100. */
  readonly limit?: number;
  /** `next` of the page before, with the same criteria and order. */
  readonly after?: string;
}

/** One page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** For the page behind this one; undefined: this is the last. */
  readonly next: string | undefined;
}

/** One condition, checked. */
export interface Clause {
  readonly field: string;
  readonly kind: FieldKind;
  readonly op: keyof Condition<unknown>;
  readonly value: unknown;
}

/** A question, checked. */
export interface Query {
  readonly clauses: readonly Clause[];
  readonly orderBy: { readonly field: string; readonly kind: FieldKind };
  readonly descending: boolean;
  readonly limit: number;
  readonly after: Place | undefined;
}

/** Where a page ended. */
export interface Place {
  readonly value: string | number | boolean | null;
  readonly id: string;
}

const operators: readonly (keyof Condition<unknown>)[] = [
  'eq',
  'ne',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'startsWith',
];

/** Reads a question. Throws with all that is wrong with it at once. */
export function queryOf<Kept extends Entity>(
  fields: Fields<Kept>,
  criteria: Criteria<Kept>,
  options: PageOptions<Kept> = {},
): Query {
  const kinds = new Map<string, FieldKind>([
    ['id', 'text'],
    ...(Object.entries(fields) as (readonly [string, FieldKind])[]),
  ]);
  const problems: string[] = [];
  const clauses = Object.entries(criteria as Readonly<Record<string, unknown>>).flatMap(([field, asked]) =>
    clausesOf(field, kinds.get(field), asked, problems),
  );
  const { orderBy: orderField = 'id', direction = 'ascending', limit = 100, after } = options;
  const orderKind = kinds.get(orderField);
  if (orderKind === undefined)
    problems.push(`orderBy: expected one of ${[...kinds.keys()].join(', ')}, found ${orderField}`);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    problems.push(`limit: expected a whole number from 1 to 1000, found ${limit}`);
  const place = after === undefined ? undefined : placeOf(after, problems);
  if (problems.length > 0) {
    const message = `the question cannot be asked: ${problems.join('; ')}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_CRITERIA', message, sent: false });
  }
  const orderBy = { field: orderField, kind: orderKind ?? 'text' };
  return { clauses, orderBy, descending: direction === 'descending', limit, after: place };
}

function clausesOf(
  field: string,
  kind: FieldKind | undefined,
  asked: unknown,
  problems: string[],
): readonly Clause[] {
  if (asked === undefined) return [];
  if (kind === undefined) {
    problems.push(`${field}: it is not among the fields that may be asked for`);
    return [];
  }
  const condition = typeof asked === 'object' && asked !== null ? asked : { eq: asked };
  return Object.entries(condition).flatMap(([op, value]: [string, unknown]) => {
    const known = operators.find((each) => each === op);
    if (known === undefined) problems.push(`${field}: expected ${operators.join(', ')}, found ${op}`);
    else if (!isFit(known, kind, value))
      problems.push(`${field}.${op}: expected ${expected(known, kind)}, found ${JSON.stringify(value)}`);
    else return [{ field, kind, op: known, value }];
    return [];
  });
}

const typeOf = { text: 'string', number: 'number', boolean: 'boolean' } as const;

function isFit(op: keyof Condition<unknown>, kind: FieldKind, value: unknown): boolean {
  if (op === 'in') return Array.isArray(value) && value.every((each) => typeof each === typeOf[kind]);
  if (op === 'startsWith') return kind === 'text' && typeof value === 'string';
  if (value === null) return op === 'eq' || op === 'ne';
  return typeof value === typeOf[kind];
}

function expected(op: keyof Condition<unknown>, kind: FieldKind): string {
  if (op === 'in') return `a list of ${kind}s`;
  return op === 'startsWith' ? 'a text, for a field of texts' : `a ${kind}`;
}

/** What `next` says. */
export function nextOf({ value, id }: Place): string {
  return Buffer.from(JSON.stringify([value, id])).toString('base64url');
}

function placeOf(text: string, problems: string[]): Place | undefined {
  try {
    const [value, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [Place['value'], string];
    if (typeof id === 'string') return { value, id };
  } catch {
    // Said below.
  }
  problems.push('after: expected `next` of another page');
  return undefined;
}
