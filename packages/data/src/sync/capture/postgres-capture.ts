import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';
import { applyChange, applyEntity, copyAll, prepareTarget } from '../apply.ts';
import { type Difference, differences } from '../compare.ts';
import type { Change } from '../change.ts';
import { type AnySyncRule, checkRules, isFor } from '../rule.ts';
import { type SyncSource, tableSource } from '../source.ts';
import { identifier } from '../target.ts';
import { LogReader, type Row, type RowChange } from './pgoutput.ts';
import { type CapturedLog, CaptureSlot, type LoggedChange } from './capture-slot.ts';

/** A table whose rows are entities. */
export interface CapturedTable {
  /** With its schema, e.g. `public.customer`. */
  readonly table: string;
  readonly entityType: string;
  /** Its primary key. Default `id`. */
  readonly idColumn?: string;
}

/** What a capture is made from. */
export interface PostgresCaptureOptions {
  readonly runtime: Runtime;
  /** What its slot and its publication are called by, on that server; lower-case letters, digits and `_`. */
  readonly name: string;
  /** The database of the service; its user may replicate and owns the tables. `wal_level` must be `logical`. */
  readonly pool: SqlPool;
  readonly tables: readonly CapturedTable[];
  /** All of them `eventual`. Their event types are `insert`, `update`, `delete` and `copy`. */
  readonly rules: readonly AnySyncRule[];
  /** How often to look. Default 200. */
  readonly pollMs?: number;
  /** Attempts at a change that a target refuses; then the entity is parked, and the others go on. Default 10. */
  readonly attempts?: number;
}

/** An entity that a target has refused. */
export interface ParkedEntity {
  readonly id: string;
  readonly error: string;
  readonly parkedAt: Date;
}

/**
 * Keeps copies of the rows of a service that was not written for it: their changes are read from the write-ahead log of its
 * database. The first start copies what is there; from then on it goes on where it was, wherever it is started, and a
 * target's place in the log commits with what it was given. Every instance may have one: one at a time reads.
 */
export class PostgresCapture implements Part {
  readonly name: string;
  readonly #options: PostgresCaptureOptions;
  readonly #slot: CaptureSlot;
  readonly #sources: ReadonlyMap<string, SyncSource>;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #failures = 0;
  #stopped = false;

  constructor(options: PostgresCaptureOptions) {
    const { name, rules, tables, pool } = options;
    checkRules(rules, ['eventual']);
    this.name = `capture ${name}`;
    this.#options = options;
    for (const { table } of tables) identifier('table', table);
    this.#slot = new CaptureSlot(
      pool,
      identifier('name', `heddle_${name}`),
      tables.map(({ table }) => table),
    );
    this.#sources = new Map(
      tables.map(({ table, entityType, idColumn }) => [entityType, tableSource(entityType, table, idColumn)]),
    );
    for (const rule of rules) this.#sourceOf(rule);
  }

  async start(): Promise<void> {
    const { rules } = this.#options;
    for (const target of new Set(rules.map((rule) => rule.target.pool))) await prepareTarget(target);
    await this.#slot.open();
    for (const rule of rules) await this.#copyOnce(rule);
    this.#lookLater(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** Ends it for good: until then the server keeps its log for it, however long nobody reads. */
  async remove(): Promise<void> {
    await this.stop();
    await this.#slot.remove();
  }

  /** Bytes of the log that not every target has had. */
  lagBytes(): Promise<number> {
    return this.#slot.lagBytes();
  }

  /** Makes the copy of one entity again, and takes it off the list of what was refused. */
  resync(ruleName: string, id: string): Promise<void> {
    const rule = this.#rule(ruleName);
    return applyEntity(rule, this.#sourceOf(rule), this.#options.pool, id);
  }

  /** How the target of a rule differs from the tables. What changes meanwhile may be among it: look again. */
  compare(ruleName: string): AsyncIterable<Difference> {
    const rule = this.#rule(ruleName);
    return differences(rule, this.#sourceOf(rule), this.#options.pool);
  }

  /** What a target has refused, the oldest first, 1000 at most. `resync` makes it good. */
  parked(ruleName: string): Promise<readonly ParkedEntity[]> {
    const rule = this.#rule(ruleName);
    return rule.target.pool.query<ParkedEntity>(
      `SELECT entity AS id, error, parked_at AS "parkedAt" FROM heddle_sync_parked WHERE rule = $1
         ORDER BY parked_at LIMIT 1000`,
      [rule.name],
    );
  }

  /** What is there already, after the slot is: a change between the two is in both, and comes to the same in the end. */
  async #copyOnce(rule: AnySyncRule): Promise<void> {
    const { pool } = rule.target;
    await pool.execute('INSERT INTO heddle_sync_checkpoints (rule) VALUES ($1) ON CONFLICT DO NOTHING', [
      rule.name,
    ]);
    const [found] = await pool.query<{ copied: boolean }>(
      'SELECT copied FROM heddle_sync_checkpoints WHERE rule = $1',
      [rule.name],
    );
    if (found?.copied === true) return;
    await copyAll(rule, this.#sourceOf(rule), this.#options.pool);
    await pool.execute('UPDATE heddle_sync_checkpoints SET copied = true WHERE rule = $1', [rule.name]);
  }

  #lookLater(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#options.runtime.timers.after(delayMs, () => {
      this.#looking = this.#look();
    });
  }

  async #look(): Promise<void> {
    const { runtime, pollMs = 200 } = this.#options;
    let more = false;
    try {
      more = await this.#readOnce();
      this.#failures = 0;
    } catch (thrown) {
      this.#failures += 1;
      const { reason, message } = HeddleError.from(thrown);
      runtime.log('warn', 'changes cannot be passed on yet', { reason, error: message });
    }
    const waitMs = pollMs * Math.min(16, 2 ** this.#failures) * (0.5 + 0.5 * runtime.random.float());
    this.#lookLater(more ? 0 : waitMs);
  }

  /** True: there was something, and so there may be more. */
  async #readOnce(): Promise<boolean> {
    const log = await this.#slot.peek();
    if (log === undefined) return false;
    const changes = await this.#changesOf(log);
    await Promise.all(this.#options.rules.map((rule) => this.#pass(rule, changes, log)));
    await this.#slot.advance(log.endLsn);
    return true;
  }

  /** In one transaction of the target, with its place in the log: what it has had is passed over. */
  async #pass(rule: AnySyncRule, changes: readonly PlacedChange[], log: CapturedLog): Promise<void> {
    await rule.target.pool.transaction(async (sql) => {
      const [place] = await sql.query<{ position: number }>(
        'SELECT position FROM heddle_sync_checkpoints WHERE rule = $1 FOR UPDATE',
        [rule.name],
      );
      const position = place?.position ?? 0;
      for (const { change, commit } of changes)
        if (commit > position && isFor(rule, change)) await this.#passOne(sql, rule, change);
      if (log.endPosition > position)
        await sql.execute('UPDATE heddle_sync_checkpoints SET position = $2 WHERE rule = $1', [
          rule.name,
          log.endPosition,
        ]);
    });
  }

  async #passOne(sql: Sql, rule: AnySyncRule, change: Change): Promise<void> {
    const { attempts = 10 } = this.#options;
    await sql.execute('SAVEPOINT one');
    try {
      await applyChange(sql, rule, change);
      await sql.execute('RELEASE SAVEPOINT one');
    } catch (thrown) {
      const { code, reason, message } = HeddleError.from(thrown);
      // What may pass is tried again with all that came with it; what will not is put aside, the others are not to wait.
      const mayPass = !hopeless.has(code) && this.#failures + 1 < attempts;
      if (code === 'unavailable' || mayPass) throw thrown;
      await sql.execute('ROLLBACK TO SAVEPOINT one');
      await sql.execute(
        `INSERT INTO heddle_sync_parked AS parked (rule, entity, error) VALUES ($1, $2, $3)
           ON CONFLICT (rule, entity) DO UPDATE SET error = EXCLUDED.error`,
        [rule.name, change.id, `${reason}: ${message}`],
      );
    }
  }

  async #changesOf(log: CapturedLog): Promise<readonly PlacedChange[]> {
    const reader = new LogReader();
    const read: (LoggedChange & { readonly change: RowChange })[] = [];
    const placed: PlacedChange[] = [];
    for (const { position, data } of log.entries) {
      const message = reader.read(data);
      if (message?.kind === 'row') read.push({ position, change: message.change });
      if (message?.kind === 'truncate') throw truncated(message.tables);
      if (message?.kind !== 'commit') continue;
      const commit = Number(message.endLsn);
      for (const { position: version, change } of read.splice(0))
        for (const each of await this.#changes(change, version)) placed.push({ change: each, commit });
    }
    return placed;
  }

  /** A key that has changed is an entity that has gone, and another that has come. */
  async #changes({ op, relation, row, before }: RowChange, version: number): Promise<readonly Change[]> {
    const found = this.#options.tables.find(({ table }) => table === relation.table);
    if (found === undefined) return [];
    const { entityType, idColumn = 'id', table } = found;
    const id = String(row[idColumn]);
    const gone = (key: string): Change => ({
      entityType,
      eventType: 'delete',
      id: key,
      version,
      value: undefined,
    });
    if (op === 'delete') return [gone(id)];
    const value = await this.#valueOf(table, entityType, id, row, relation);
    const change = { entityType, eventType: op, id, version, value };
    const old = before?.[idColumn];
    return typeof old === 'string' && old !== id ? [gone(old), change] : [change];
  }

  /** The row as the database itself would show it, so that a copy is the same whichever way it has come. */
  async #valueOf(
    table: string,
    entityType: string,
    id: string,
    row: Row,
    { columns }: RowChange['relation'],
  ): Promise<unknown> {
    const { pool } = this.#options;
    // A large value that has not changed is not in the log: the row of now has it, and what came later comes later.
    if (Object.values(row).includes(undefined))
      return (await this.#sources.get(entityType)?.read(pool, id))?.value;
    const texts = columns.map(({ name, type }) => {
      const text = row[name];
      return [name, typeof text === 'string' && jsonTypes.has(type) ? (JSON.parse(text) as unknown) : text];
    });
    const [found] = await pool.query<{ value: unknown }>(
      `SELECT to_jsonb(row) AS value FROM jsonb_populate_record(NULL::${table}, $1::jsonb) AS row`,
      [JSON.stringify(Object.fromEntries(texts))],
    );
    return found?.value;
  }

  #rule(name: string): AnySyncRule {
    const found = this.#options.rules.find((rule) => rule.name === name);
    if (found !== undefined) return found;
    const message = `there is no rule ${name}`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_RULE', message, sent: false });
  }

  #sourceOf({ name, entityType }: AnySyncRule): SyncSource {
    const found = this.#sources.get(entityType);
    if (found !== undefined) return found;
    const known = [...this.#sources.keys()].join(', ');
    const message = `rule ${name}: entityType: expected one of ${known}, found ${entityType}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SYNC', message, sent: false });
  }
}

/** A change, and where its transaction has ended in the log. */
interface PlacedChange {
  readonly change: Change;
  readonly commit: number;
}

// What the same change would be refused with again.
const hopeless: ReadonlySet<string> = new Set([
  'invalid_argument',
  'failed_precondition',
  'already_exists',
  'not_found',
  'out_of_range',
]);

// Object ids of json and jsonb.
const jsonTypes: ReadonlySet<number> = new Set([114, 3802]);

function truncated(tables: readonly string[]): HeddleError {
  const message = `${tables.join(', ')} was emptied by TRUNCATE, which names no rows: empty the copies, and skip it with a new capture`;
  return new HeddleError({ code: 'failed_precondition', reason: 'TABLE_TRUNCATED', message, sent: false });
}
