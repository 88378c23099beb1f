import type { DuckDBConnection } from '@duckdb/node-api';
import type { SpanData } from '../../otlp/signal.ts';
import { resourceText } from './rows.ts';
import { Clauses, type Tag } from './span-conditions.ts';

// Who makes up more of them than this is looked for among the spans.
const most = 5000;
// So many in a condition cost less than to read who sent each span.
const mostFound = 200;

/** Who has sent the spans of one day's file: few, where the spans are many, so attributes of theirs are looked for here. */
export class DuckDbResources {
  readonly #table: string;
  readonly #spans: string;
  #known = new Set<string>();

  constructor(catalog: string) {
    this.#table = `${catalog}.resources`;
    this.#spans = `${catalog}.spans`;
  }

  async open(connection: DuckDBConnection): Promise<void> {
    const made = `CREATE TABLE IF NOT EXISTS ${this.#table} AS SELECT DISTINCT resource FROM ${this.#spans}`;
    await connection.run(made);
    const result = await connection.runAndReadAll(`SELECT resource FROM ${this.#table} LIMIT ${most}`);
    this.#known = new Set(result.getRows().map(([text]) => text as string));
  }

  /** To be called within a transaction; what that may lose is asked for again. */
  async append(connection: DuckDBConnection, spans: readonly SpanData[]): Promise<void> {
    const fresh = new Set<string>();
    let last: object | undefined;
    for (const { resource } of spans) {
      if (resource === last) continue;
      last = resource;
      const text = resourceText(resource);
      if (!this.#known.has(text) && this.#known.size + fresh.size < most) fresh.add(text);
    }
    for (const text of fresh) await connection.run(`INSERT INTO ${this.#table} VALUES ($1)`, [text]);
    for (const text of fresh) this.#known.add(text);
  }

  /** Those with an attribute; undefined where there are too many to tell. */
  async find(connection: DuckDBConnection, tag: Tag): Promise<readonly string[] | undefined> {
    if (this.#known.size >= most) return undefined;
    const clauses = new Clauses();
    const has = clauses.has('resource', tag);
    const found = await connection.runAndReadAll(
      `SELECT DISTINCT resource FROM ${this.#table} WHERE ${has} LIMIT ${mostFound + 1}`,
      clauses.values,
    );
    return found.currentRowCount > mostFound ? undefined : found.getRows().map(([text]) => text as string);
  }
}
