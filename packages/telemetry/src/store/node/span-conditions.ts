import type { DuckDBValue } from '@duckdb/node-api';
import type { SpanQuery } from '../query.ts';

/** An attribute that is asked for. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

/**
 * What the spans are like that are asked for. `resources` finds those that have an attribute; undefined: they are not known
 * apart from the spans.
 */
export async function spanConditions(
  query: SpanQuery,
  resources: (tag: Tag) => Promise<readonly string[] | undefined> | undefined,
): Promise<Clauses> {
  const clauses = new Clauses();
  clauses.add('start_us >= ?', BigInt(Math.floor(Math.max(0, query.fromUs))));
  clauses.add('start_us <= ?', BigInt(Math.ceil(Math.min(query.toUs, 9e18))));
  if (query.service !== undefined) clauses.add('service = ?', query.service);
  if (query.operation !== undefined) clauses.add('name = ?', query.operation);
  if (query.minDurationUs !== undefined) clauses.add('duration_us >= ?', query.minDurationUs);
  if (query.maxDurationUs !== undefined) clauses.add('duration_us <= ?', query.maxDurationUs);
  if (query.failed !== undefined) clauses.add('failed = ?', query.failed);
  for (const [key, value] of Object.entries(query.tags)) {
    if (key === 'error') clauses.add('failed = ?', value === 'true');
    else clauses.addTag({ key, value }, await resources({ key, value }));
  }
  return clauses;
}

// Attributes that are no texts: how their values are written is for the JSON reader to judge.
const looksLikeJson = /^(?:true|false|null|-?\d[\d.eE+-]*|[[{].*)$/s;

/** Conditions and what is compared, kept apart: nothing from outside becomes SQL. */
export class Clauses {
  readonly #parts: string[] = [];
  readonly values: DuckDBValue[] = [];

  get where(): string {
    return this.#parts.join(' AND ');
  }

  /** `?` stands for the value. */
  add(condition: string, value: DuckDBValue): void {
    this.#parts.push(condition.replaceAll('?', this.#place(value)));
  }

  /** A span or who sent it has an attribute with this text. */
  addTag(tag: Tag, resources: readonly string[] | undefined): void {
    const own = this.has('attributes', tag);
    const others = resources?.map((text) => this.#place(text)).join(', ');
    if (others === '') this.#parts.push(own);
    else if (others !== undefined) this.#parts.push(`(${own} OR resource IN (${others}))`);
    else this.#parts.push(`(${own} OR ${this.has('resource', tag)})`);
  }

  /** A condition: that the JSON of a column has an attribute with this text. */
  has(column: string, { key, value }: Tag): string {
    const at = this.#place(`$."${key.replaceAll('"', '\\"')}"`);
    const is = this.#place(value);
    // What cannot have it need not be read as JSON, which costs ten times what it costs to look for a text.
    const name = `${JSON.stringify(key)}:`;
    const text = this.#place(looksLikeJson.test(value) ? name : `${name}${JSON.stringify(value)}`);
    return `(contains(${column}, ${text}) AND json_extract_string(${column}, ${at}) = ${is})`;
  }

  #place(value: DuckDBValue): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}
