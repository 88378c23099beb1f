import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBDataChunk, type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { HeddleError } from '@heddle/kernel';
import type { LogData, SpanData } from '../../otlp/signal.ts';
import type { History, HistoryBatch } from '../history.ts';
import type { Edge, LogQuery, SpanQuery, Trace } from '../query.ts';
import type { Labels } from '../../promql/labels.ts';
import type { Matcher, SeriesData, Value } from '../../promql/source.ts';
import type { ArchivedSample, MetricHistory } from '../metric-history.ts';
import { DuckDbResources } from './duckdb-resources.ts';
import { DuckDbSamples } from './duckdb-samples.ts';
import {
  edgeOf,
  edgesTable,
  idOfNumber,
  lineOf,
  logsTable,
  numberOfId,
  type Row,
  spanOf,
  spansTable,
  type Table,
} from './rows.ts';
import { renewSpans } from './renew-spans.ts';
import { Clauses, spanConditions } from './span-conditions.ts';

const dayUs = 86_400_000_000;
const chunkRows = 2048;
// What an appender holds is beside what DuckDB may use, and handing it on stops all else in this thread.
const flushRows = 4 * chunkRows;
const fileName = /^telemetry-(\d{4}-\d{2}-\d{2})\.duckdb$/;
const tables = [spansTable, logsTable, edgesTable] as const;

/** What `openDuckDbHistory` may be told. */
export interface DuckDbHistoryOptions {
  /** Made if missing. No other process may have it open. */
  readonly folder: string;
  /** What DuckDB may use beside our own memory. Default 96 MiB. */
  readonly memoryMiB?: number;
  /** The time of day in milliseconds: in which file that goes whose own time is out of all reason. */
  readonly wallMs: () => number;
}

/**
 * Telemetry on disk in DuckDB, a file for each day (UTC): a day is forgotten by removing its file. Rejects with
 * `failed_precondition` / `STORE_IN_USE` if another process has it.
 */
export async function openDuckDbHistory(options: DuckDbHistoryOptions): Promise<History & MetricHistory> {
  const { folder, memoryMiB = 96 } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const settings = {
    threads: '2',
    memory_limit: `${memoryMiB}MiB`,
    temp_directory: path.join(folder, 'tmp'),
  };
  const instance = await DuckDBInstance.create(':memory:', settings);
  const history = new DuckDbHistory(options, instance, await instance.connect(), await instance.connect());
  try {
    for (const name of (await readdir(folder)).toSorted()) {
      const day = fileName.exec(name)?.[1];
      if (day !== undefined) await history.attach(day);
    }
  } catch (thrown) {
    await history.close();
    throw thrown;
  }
  return history;
}

/** Reads and writes go over two connections, so that a search does not wait for a batch. */
class DuckDbHistory implements History, MetricHistory {
  readonly #options: DuckDbHistoryOptions;
  readonly #instance: DuckDBInstance;
  readonly #reader: DuckDBConnection;
  readonly #writer: DuckDBConnection;
  readonly #days = new Set<string>();
  readonly #samples = new Map<string, DuckDbSamples>();
  readonly #resources = new Map<string, DuckDbResources>();
  /** By table: batches are written one after the other. */
  readonly #chunks = new Map<string, DuckDBDataChunk>();
  #writing: Promise<void> = Promise.resolve();
  #lastDay = { number: Number.NaN, name: '' };

  constructor(
    options: DuckDbHistoryOptions,
    instance: DuckDBInstance,
    reader: DuckDBConnection,
    writer: DuckDBConnection,
  ) {
    this.#options = options;
    this.#instance = instance;
    this.#reader = reader;
    this.#writer = writer;
  }

  async attach(day: string): Promise<void> {
    if (this.#days.has(day)) return;
    const catalog = catalogOf(day);
    try {
      await this.#writer.run(`ATTACH ${quoted(this.#file(day))} AS ${catalog}`);
    } catch (cause) {
      const message = `${this.#file(day)} cannot be opened: ${(cause as Error).message}`;
      const reason = /lock/i.test(message) ? 'STORE_IN_USE' : 'STORE_UNREADABLE';
      throw new HeddleError({ code: 'failed_precondition', reason, message, cause });
    }
    for (const { name, columns } of tables) {
      const defined = columns.map(([column, type]) => `${column} ${type.toString()}`).join(', ');
      await this.#writer.run(`CREATE TABLE IF NOT EXISTS ${catalog}.${name} (${defined})`);
    }
    await renewSpans(this.#writer, catalog);
    await this.#writer.run(`CREATE TABLE IF NOT EXISTS ${catalog}.segments (name VARCHAR PRIMARY KEY)`);
    const samples = new DuckDbSamples(catalog);
    await samples.open(this.#writer);
    this.#samples.set(day, samples);
    const resources = new DuckDbResources(catalog);
    await resources.open(this.#writer);
    this.#resources.set(day, resources);
    this.#days.add(day);
  }

  async write(batch: HistoryBatch): Promise<void> {
    const turn = this.#writing.then(() => this.#write(batch));
    this.#writing = turn.catch(() => {});
    return turn;
  }

  async #write({ segment, spans, logs, edges }: HistoryBatch): Promise<void> {
    const days = new Map<string, [SpanData[], LogData[], HistoryBatch['edges'][number][]]>();
    const at = (timeUs: number): [SpanData[], LogData[], HistoryBatch['edges'][number][]] => {
      const day = this.#dayFor(timeUs);
      const known = days.get(day) ?? [[], [], []];
      days.set(day, known);
      return known;
    };
    for (const span of spans) at(span.startUs)[0].push(span);
    for (const line of logs) at(line.timeUs)[1].push(line);
    for (const edge of edges) at(edge.minuteUs)[2].push(edge);
    for (const [day, [ofSpans, ofLogs, ofEdges]] of days) {
      await this.attach(day);
      const catalog = catalogOf(day);
      const resources = this.#resources.get(day) as DuckDbResources;
      const done = this.#once(catalog, segment, async () => {
        await resources.append(this.#writer, ofSpans);
        await this.#append(catalog, spansTable, ofSpans);
        await this.#append(catalog, logsTable, ofLogs);
        await this.#append(catalog, edgesTable, ofEdges);
      });
      await done.catch(async (thrown: unknown) => {
        await resources.open(this.#writer);
        throw thrown;
      });
    }
  }

  /** In one transaction with the note that it was done: whatever dies in between, it happens once. */
  async #once(catalog: string, segment: string, work: () => Promise<void>): Promise<void> {
    const connection = this.#writer;
    const done = await connection.runAndReadAll(`SELECT 1 FROM ${catalog}.segments WHERE name = $1`, [
      segment,
    ]);
    if (done.currentRowCount > 0) return;
    await connection.run('BEGIN');
    try {
      await work();
      await connection.run(`INSERT INTO ${catalog}.segments VALUES ($1)`, [segment]);
      await connection.run('COMMIT');
    } catch (thrown) {
      await connection.run('ROLLBACK').catch(() => {});
      throw thrown;
    }
  }

  async #append<T>(catalog: string, { name, columns }: Table<T>, items: readonly T[]): Promise<void> {
    if (items.length === 0) return;
    const appender = await this.#writer.createAppender(name, 'main', catalog);
    // One for all that are ever written: what lies outside our own memory is only given back when a collection finds it.
    const chunk = this.#chunks.get(name) ?? DuckDBDataChunk.create(columns.map(([, type]) => type));
    this.#chunks.set(name, chunk);
    for (let from = 0; from < items.length; from += chunkRows) {
      const part = items.slice(from, from + chunkRows);
      chunk.reset();
      chunk.rowCount = part.length;
      chunk.setColumns(columns.map(([, , value]) => part.map(value)));
      appender.appendDataChunk(chunk);
      if ((from + chunkRows) % flushRows === 0) appender.flushSync();
    }
    appender.flushSync();
    appender.closeSync();
    chunk.reset();
  }

  async writeSamples(samples: readonly ArchivedSample[]): Promise<void> {
    const turn = this.#writing.then(() => this.#writeSamples(samples));
    this.#writing = turn.catch(() => {});
    return turn;
  }

  async #writeSamples(samples: readonly ArchivedSample[]): Promise<void> {
    const days = Map.groupBy(samples, ({ timeMs }) => this.#dayFor(timeMs * 1000));
    for (const [day, ofDay] of days) {
      await this.attach(day);
      const kept = this.#samples.get(day) as DuckDbSamples;
      await this.#writer.run('BEGIN');
      try {
        await kept.append(this.#writer, ofDay);
        await this.#writer.run('COMMIT');
      } catch (thrown) {
        await this.#writer.run('ROLLBACK').catch(() => {});
        await kept.reopen(this.#writer);
        throw thrown;
      }
    }
  }

  async samples(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]> {
    const joined = new Map<string, { labels: Labels; times: number[]; values: (Value | undefined)[] }>();
    for (const day of this.#daysWithin(fromMs * 1000, toMs * 1000).toSorted()) {
      const found = (await this.#samples.get(day)?.select(this.#reader, matchers, fromMs, toMs)) ?? [];
      for (const { labels, times, values } of found) {
        const known = joined.get(labels.key) ?? { labels, times: [], values: [] };
        joined.set(labels.key, known);
        known.times.push(...Array.from(times));
        known.values.push(...Array.from(values));
      }
    }
    return [...joined.values()];
  }

  async trace(traceId: string): Promise<readonly SpanData[]> {
    if (!/^[0-9a-f]{32}$/.test(traceId)) return [];
    return (await this.#spansOf([numberOfId(traceId)])).map(spanOf);
  }

  async search(query: SpanQuery): Promise<readonly Trace[]> {
    const ids = await this.#newest(query);
    if (ids.length === 0) return [];
    const spans = Map.groupBy(await this.#spansOf(ids), (row) => row['trace_id'] as bigint);
    return ids.map((id) => ({ traceId: idOfNumber(id, 32), spans: (spans.get(id) ?? []).map(spanOf) }));
  }

  /** Traces by the newest of their spans that is wanted. The newest days first, and no more of each than is needed. */
  async #newest(query: SpanQuery): Promise<readonly bigint[]> {
    const newest = new Map<bigint, number>();
    const days = this.#daysWithin(query.fromUs, query.toUs).toSorted().toReversed();
    for (const day of days) {
      const resources = this.#resources.get(day);
      const { where, values } = await spanConditions(query, (tag) => resources?.find(this.#reader, tag));
      // A trace may have many of the spans that are wanted: then there must be more of them.
      for (let most = Math.max(100, query.limit * 8); ; most *= 8) {
        const order = `ORDER BY start_us DESC LIMIT ${Math.ceil(most)}`;
        const rows = await this.#select('spans', [day], 'trace_id, start_us', where, values, order);
        for (const row of rows) {
          const id = row['trace_id'] as bigint;
          newest.set(id, Math.max(Number(row['start_us']), newest.get(id) ?? 0));
        }
        if (newest.size >= query.limit || rows.length < most) break;
      }
      if (newest.size >= query.limit) break;
    }
    const newestFirst = [...newest].toSorted(([, a], [, b]) => b - a);
    return newestFirst.slice(0, query.limit).map(([id]) => id);
  }

  /** All spans of some traces, by their start. */
  #spansOf(ids: readonly bigint[]): Promise<readonly Row[]> {
    const wanted = ids.map((id) => `${id}::UHUGEINT`).join(', ');
    return this.#select('spans', [...this.#days], '*', `trace_id IN (${wanted})`, [], 'ORDER BY start_us');
  }

  async services(): Promise<readonly string[]> {
    const rows = await this.#select('spans', [...this.#days], 'DISTINCT service', 'true', []);
    return [...new Set(rows.map((row) => row['service'] as string))].toSorted();
  }

  async operations(service: string): Promise<readonly string[]> {
    const rows = await this.#select('spans', [...this.#days], 'DISTINCT name', 'service = $1', [service]);
    return [...new Set(rows.map((row) => row['name'] as string))].toSorted();
  }

  async edges(fromUs: number, toUs: number): Promise<readonly Edge[]> {
    const minute = 60_000_000;
    const bounds = [BigInt(Math.floor(fromUs - minute)), BigInt(Math.ceil(toUs))];
    const days = this.#daysWithin(fromUs - minute, toUs);
    const rows = await this.#select('edges', days, '*', 'minute_us > $1 AND minute_us <= $2', bounds);
    return rows.map(edgeOf);
  }

  async lines(query: LogQuery): Promise<readonly LogData[]> {
    const clauses = new Clauses();
    clauses.add('time_us >= ?', BigInt(Math.floor(query.fromUs)));
    clauses.add('time_us <= ?', BigInt(Math.ceil(query.toUs)));
    if (query.service !== undefined) clauses.add('service = ?', query.service);
    if (query.minSeverity !== undefined) clauses.add('severity >= ?', query.minSeverity);
    if (query.traceId !== undefined) clauses.add('trace_id = ?', query.traceId);
    if (query.text !== undefined) clauses.add('contains(lower(body || attributes), lower(?))', query.text);
    const days = this.#daysWithin(query.fromUs, query.toUs);
    const order = `ORDER BY time_us DESC LIMIT ${Math.floor(query.limit)}`;
    const rows = await this.#select('logs', days, '*', clauses.where, clauses.values, order);
    return rows.map(lineOf);
  }

  async retain({ oldestUs, maxBytes }: { oldestUs: number; maxBytes: number }): Promise<void> {
    const turn = this.#writing.then(() => this.#retain(this.#dayOf(oldestUs), maxBytes));
    this.#writing = turn.catch(() => {});
    return turn;
  }

  async #retain(oldest: string, maxBytes: number): Promise<void> {
    for (const day of [...this.#days].toSorted()) if (day < oldest) await this.#forget(day);
    for (;;) {
      const days = [...this.#days].toSorted();
      const sizes = await Promise.all(days.map((day) => sizeOf(this.#file(day))));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const [first] = days;
      if (total <= maxBytes || first === undefined) return;
      if (days.length > 1) await this.#forget(first);
      else return this.#thin(first);
    }
  }

  /** The last day alone is too large: its oldest quarter goes, and what comes next takes the place. */
  async #thin(day: string): Promise<void> {
    const catalog = catalogOf(day);
    for (const [table, time] of [
      ['spans', 'start_us'],
      ['logs', 'time_us'],
      ['samples', 'time_ms'],
    ] as const) {
      const quarter = `SELECT quantile_disc(${time}, 0.25) FROM ${catalog}.${table}`;
      await this.#writer.run(`DELETE FROM ${catalog}.${table} WHERE ${time} <= (${quarter})`);
    }
    await this.#writer.run(`CHECKPOINT ${catalog}`);
  }

  async #forget(day: string): Promise<void> {
    this.#days.delete(day);
    this.#samples.delete(day);
    this.#resources.delete(day);
    await this.#writer.run(`DETACH ${catalogOf(day)}`);
    await rm(this.#file(day), { force: true });
    await rm(`${this.#file(day)}.wal`, { force: true });
  }

  async close(): Promise<void> {
    await this.#writing;
    for (const day of this.#days) await this.#writer.run(`DETACH ${catalogOf(day)}`).catch(() => {});
    this.#reader.closeSync();
    this.#writer.closeSync();
    this.#instance.closeSync();
  }

  /** The same question to each day's file. */
  async #select(
    table: string,
    days: readonly string[],
    columns: string,
    where: string,
    values: readonly DuckDBValue[],
    order = '',
  ): Promise<readonly Row[]> {
    if (days.length === 0) return [];
    const parts = days.map((day) => `SELECT ${columns} FROM ${catalogOf(day)}.${table} WHERE ${where}`);
    const result = await this.#reader.runAndReadAll(`${parts.join(' UNION ALL ')} ${order}`, [...values]);
    return result.getRowObjects();
  }

  #daysWithin(fromUs: number, toUs: number): readonly string[] {
    const first = this.#dayOf(Math.max(0, fromUs));
    const last = this.#dayOf(Math.min(toUs, 8.64e18));
    return [...this.#days].filter((day) => day >= first && day <= last);
  }

  /** Times that are years away are mistakes; they must not make files. */
  #dayFor(timeUs: number): string {
    const nowUs = this.#options.wallMs() * 1000;
    const isNear = timeUs > nowUs - 30 * dayUs && timeUs < nowUs + dayUs;
    return this.#dayOf(isNear ? timeUs : nowUs);
  }

  #dayOf(timeUs: number): string {
    // Nearly all that comes is of the same day.
    const number = Math.floor(timeUs / dayUs);
    if (number === this.#lastDay.number) return this.#lastDay.name;
    const ms = Math.min(timeUs / 1000, 8.64e15);
    const name = new Date(Number.isFinite(ms) ? ms : 8.64e15).toISOString().slice(0, 10);
    this.#lastDay = { number, name };
    return name;
  }

  #file(day: string): string {
    return path.join(this.#options.folder, `telemetry-${day}.duckdb`);
  }
}

async function sizeOf(file: string): Promise<number> {
  const sizes = await Promise.all(
    [file, `${file}.wal`].map((each) =>
      stat(each).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function catalogOf(day: string): string {
  return `d${day.replaceAll('-', '')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
