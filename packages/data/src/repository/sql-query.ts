import type { SqlValue } from '@heddle/sql';
import type { Clause, Query } from './criteria.ts';
import type { FieldKind } from './entity.ts';

/** The WHERE, ORDER BY and LIMIT of a question, with its values. One row more than asked for tells whether there is more. */
export function sqlOf(query: Query): { readonly text: string; readonly values: readonly SqlValue[] } {
  const values: SqlValue[] = [];
  const parameter = (value: SqlValue): string => `$${values.push(value)}`;
  const conditions = query.clauses.map((clause) => conditionOf(clause, parameter));
  const { field, kind } = query.orderBy;
  const column = columnOf(field, kind);
  const way = query.descending ? 'DESC' : 'ASC';
  if (query.after !== undefined) conditions.push(behind(query, column, parameter));
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const order = field === 'id' ? `id ${way}` : `${column} ${way} NULLS LAST, id ${way}`;
  return { text: `${where} ORDER BY ${order} LIMIT ${query.limit + 1}`, values };
}

type Parameter = (value: SqlValue) => string;

const casts = { text: 'text', number: 'numeric', boolean: 'boolean' } as const;

/** Field names are literals of our own making: quotes in them are doubled. */
function columnOf(field: string, kind: FieldKind): string {
  if (field === 'id') return 'id';
  const text = `body ->> '${field.replaceAll("'", "''")}'`;
  return kind === 'text' ? `(${text}) COLLATE "C"` : `(${text})::${casts[kind]}`;
}

const comparisons: Partial<Record<Clause['op'], string>> = {
  eq: '=',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
};

function conditionOf({ field, kind, op, value }: Clause, parameter: Parameter): string {
  const column = columnOf(field, kind);
  const cast = casts[kind];
  if (value === null) return `${column} IS ${op === 'eq' ? '' : 'NOT '}NULL`;
  if (op === 'ne') return `${column} IS DISTINCT FROM ${parameter(value as SqlValue)}::${cast}`;
  if (op === 'in') return `${column} = ANY (${parameter(value as SqlValue)}::${cast}[])`;
  if (op === 'startsWith') return `starts_with(${column}, ${parameter(value as SqlValue)}::text)`;
  return `${column} ${comparisons[op]} ${parameter(value as SqlValue)}::${cast}`;
}

/** Behind the place where the page before ended. */
function behind(
  { orderBy: { field, kind }, descending, after }: Query,
  column: string,
  parameter: Parameter,
): string {
  const { value = null, id = '' } = after ?? {};
  const than = descending ? '<' : '>';
  const later = `id ${than} ${parameter(id)}::text`;
  if (field === 'id') return later;
  if (value === null) return `(${column} IS NULL AND ${later})`;
  const own = `${parameter(value)}::${casts[kind]}`;
  return `(${column} ${than} ${own} OR ${column} IS NULL OR (${column} = ${own} AND ${later}))`;
}
