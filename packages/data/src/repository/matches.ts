import type { Clause, Place, Query } from './criteria.ts';

type Plain = string | number | boolean | null;

/** True if an entity meets every clause: what the SQL of `sql-query.ts` says, in memory. */
export function matches(entity: object, clauses: readonly Clause[]): boolean {
  return clauses.every((clause) => holds(valueOf(entity, clause.field), clause));
}

/** Orders places as the question wants them. */
export function comparePlaces(a: Place, b: Place, { descending }: Query): number {
  const sign = descending ? -1 : 1;
  // Without a value they come last, whichever way it goes.
  if (a.value === null || b.value === null) {
    if (a.value !== b.value) return a.value === null ? 1 : -1;
    return sign * compare(a.id, b.id);
  }
  return sign * (compare(a.value, b.value) || compare(a.id, b.id));
}

/** The field, or null where it is not there. */
export function valueOf(entity: object, field: string): Plain {
  return (Reflect.get(entity, field) as Plain | undefined) ?? null;
}

function holds(found: Plain, { op, value }: Clause): boolean {
  if (op === 'eq' && value === null) return found === null;
  if (op === 'ne' && value === null) return found !== null;
  if (op === 'ne') return found !== value;
  if (found === null) return false;
  switch (op) {
    case 'eq':
      return found === value;
    case 'lt':
      return compare(found, value as Plain) < 0;
    case 'lte':
      return compare(found, value as Plain) <= 0;
    case 'gt':
      return compare(found, value as Plain) > 0;
    case 'gte':
      return compare(found, value as Plain) >= 0;
    case 'in':
      return (value as readonly Plain[]).includes(found);
    case 'startsWith':
      return String(found).startsWith(String(value));
  }
}

/** Texts by their bytes, as PostgreSQL's collation "C" has them. */
function compare(a: Plain, b: Plain): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}
