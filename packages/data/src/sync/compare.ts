import type { Sql } from '@heddle/sql';
import type { SourceEntity } from './change.ts';
import type { AnySyncRule } from './rule.ts';
import type { SyncSource } from './source.ts';

/**
 * How a target differs from its source in one entity. `missing` and `extra` are copies, `different` is what is in one;
 * `behind`: the target has not had the newest change yet, so it may well be on its way.
 */
export interface Difference {
  readonly id: string;
  readonly kind: 'missing' | 'extra' | 'different' | 'behind';
  /** What the target should hold, and what it does; undefined: nothing. */
  readonly expected: unknown;
  readonly found: unknown;
}

interface Copy {
  readonly id: string;
  readonly value: unknown;
}

const pageSize = 500;

/**
 * Compares a target with its source, id by id, without holding either up. What changes while it looks may be reported:
 * look at the same id again. A rule for some events only differs where others have changed an entity.
 */
export async function* differences(
  rule: AnySyncRule,
  source: SyncSource,
  from: Sql,
): AsyncGenerator<Difference, void, undefined> {
  const { target } = rule;
  const wanted = paged((after) => source.page(from, after, pageSize));
  const kept = paged((after) => target.page(target.pool, after, pageSize));
  let [left, right] = [await wanted.next(), await kept.next()];
  for (;;) {
    const [one, other] = [valueOf(left), valueOf(right)];
    if (one === undefined && other === undefined) return;
    const onlyLeft = other === undefined || (one !== undefined && isBefore(one.id, other.id));
    const onlyRight = one === undefined || (other !== undefined && isBefore(other.id, one.id));
    const found = await difference(rule, onlyRight ? undefined : one, onlyLeft ? undefined : other);
    if (found !== undefined) yield found;
    if (!onlyRight) left = await wanted.next();
    if (!onlyLeft) right = await kept.next();
  }
}

async function difference(
  rule: AnySyncRule,
  entity: SourceEntity | undefined,
  copy: Copy | undefined,
): Promise<Difference | undefined> {
  const expected: unknown = entity === undefined ? undefined : rule.map(entity.value as never);
  const found = copy?.value;
  if (stable(expected) === stable(found)) return undefined;
  const id = entity?.id ?? copy?.id ?? '';
  const kind = expected === undefined ? 'extra' : found === undefined ? 'missing' : 'different';
  const [note] = await rule.target.pool.query<{ version: number }>(
    'SELECT version FROM heddle_sync_applied WHERE rule = $1 AND entity = $2',
    [rule.name, id],
  );
  const isBehind = entity?.version !== undefined && (note?.version ?? 0) < entity.version;
  return { id, kind: isBehind ? 'behind' : kind, expected, found };
}

async function* paged<Item extends { readonly id: string }>(
  read: (after: string) => Promise<readonly Item[]>,
): AsyncGenerator<Item, void, undefined> {
  for (let after = ''; ; ) {
    const page = await read(after);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

function valueOf<Item>(result: IteratorResult<Item, void>): Item | undefined {
  return result.done === true ? undefined : result.value;
}

/** As both databases order them: by the bytes of UTF-8. */
function isBefore(one: string, other: string): boolean {
  return Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;
}

/** As JSON with its fields in one order, and without those that say nothing. */
function stable(value: unknown): string | undefined {
  return JSON.stringify(value, (_name, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(
          Object.entries(each)
            .filter(([, field]) => field !== null && field !== undefined)
            .toSorted(([a], [b]) => (a < b ? -1 : 1)),
        )
      : each,
  );
}
