import { BIGINT, DOUBLE, type DuckDBConnection, DuckDBDataChunk, INTEGER } from '@duckdb/node-api';
import { Labels } from '../../promql/labels.ts';
import type { Matcher, SeriesData } from '../../promql/source.ts';
import type { ArchivedSample } from '../metric-history.ts';

const chunkRows = 2048;
const types = [INTEGER, BIGINT, DOUBLE];

/** The metrics of one day's file: series have numbers, samples name them. */
export class DuckDbSamples {
  readonly #catalog: string;
  /** By the key of their labels; filled from the file when it is opened. */
  readonly #series = new Map<string, { readonly number: number; readonly labels: Labels }>();

  constructor(catalog: string) {
    this.#catalog = catalog;
  }

  async open(connection: DuckDBConnection): Promise<void> {
    await connection.run(
      `CREATE TABLE IF NOT EXISTS ${this.#catalog}.series (number INTEGER, labels VARCHAR)`,
    );
    const columns = 'series INTEGER, time_ms BIGINT, value DOUBLE';
    await connection.run(`CREATE TABLE IF NOT EXISTS ${this.#catalog}.samples (${columns})`);
    const result = await connection.runAndReadAll(`SELECT number, labels FROM ${this.#catalog}.series`);
    for (const row of result.getRowObjects()) {
      const labels = Labels.of(JSON.parse(row['labels'] as string) as Record<string, string>);
      this.#series.set(labels.key, { number: row['number'] as number, labels });
    }
  }

  /** To be called within a transaction. */
  async append(connection: DuckDBConnection, samples: readonly ArchivedSample[]): Promise<void> {
    const made: { readonly number: number; readonly labels: Labels }[] = [];
    const numberOf = (labels: Labels): number => {
      const known = this.#series.get(labels.key);
      if (known !== undefined) return known.number;
      const series = { number: this.#series.size, labels };
      this.#series.set(labels.key, series);
      made.push(series);
      return series.number;
    };
    const appender = await connection.createAppender('samples', 'main', this.#catalog);
    for (let from = 0; from < samples.length; from += chunkRows) {
      const part = samples.slice(from, from + chunkRows);
      const chunk = DuckDBDataChunk.create(types, part.length);
      chunk.setColumns([
        part.map(({ labels }) => numberOf(labels)),
        part.map(({ timeMs }) => BigInt(Math.floor(timeMs))),
        part.map(({ value }) => value ?? null),
      ]);
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
    appender.closeSync();
    for (const { number, labels } of made)
      await connection.run(`INSERT INTO ${this.#catalog}.series VALUES ($1, $2)`, [
        number,
        JSON.stringify(labels.toRecord()),
      ]);
  }

  /** What a failed transaction has not kept is not known any more. */
  async reopen(connection: DuckDBConnection): Promise<void> {
    this.#series.clear();
    await this.open(connection);
  }

  async select(
    connection: DuckDBConnection,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly SeriesData[]> {
    const wanted = new Map<number, Labels>();
    for (const { number, labels } of this.#series.values())
      if (matchers.every(({ name, matches }) => matches(labels.get(name)))) wanted.set(number, labels);
    if (wanted.size === 0) return [];
    const list = [...wanted.keys()].join(', ');
    const result = await connection.runAndReadAll(
      `SELECT series, time_ms, value FROM ${this.#catalog}.samples
         WHERE series IN (${list}) AND time_ms > $1 AND time_ms <= $2 ORDER BY series, time_ms`,
      [BigInt(Math.floor(Math.max(fromMs, 0))), BigInt(Math.ceil(Math.min(toMs, 8.64e15)))],
    );
    const found = new Map<number, { labels: Labels; times: number[]; values: (number | undefined)[] }>();
    for (const [number, time, value] of result.getRows() as [number, bigint, number | null][]) {
      const known = found.get(number) ?? { labels: wanted.get(number) as Labels, times: [], values: [] };
      found.set(number, known);
      known.times.push(Number(time));
      known.values.push(value ?? undefined);
    }
    return [...found.values()];
  }
}
