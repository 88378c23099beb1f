import { migrate, type SqlPool } from '@heddle/sql';
import type { DecidedTx, DecisionLog, OpenDecision } from './decision-log.ts';
import type { KnownDecision } from './participant.ts';
import { migrations } from './schema.ts';

interface Row {
  readonly tx: string;
  readonly worker: string;
  readonly branches: Readonly<Record<string, string>>;
  readonly decided_at: Date;
}

const expired = 'lives_until < clock_timestamp()';
const leaseEnd = "clock_timestamp() + $2 * interval '1 millisecond'";

/** Decisions in PostgreSQL. */
export class SqlDecisionLog implements DecisionLog {
  readonly #pool: SqlPool;

  constructor(pool: SqlPool) {
    this.#pool = pool;
  }

  async open(): Promise<string> {
    await migrate(this.#pool, 'heddle_tx', migrations);
    const [row] = await this.#pool.query<{ id: string }>('SELECT id FROM heddle_tx_log');
    if (row === undefined) throw new Error('heddle_tx_log has lost its row');
    return row.id;
  }

  async enter(worker: string, leaseMs: number): Promise<void> {
    const insert = `INSERT INTO heddle_tx_workers (worker, lives_until) VALUES ($1, ${leaseEnd})`;
    await this.#pool.execute(insert, [worker, leaseMs]);
  }

  async live(worker: string, leaseMs: number): Promise<boolean> {
    const update = `UPDATE heddle_tx_workers SET lives_until = ${leaseEnd} WHERE worker = $1`;
    return (await this.#pool.execute(update, [worker, leaseMs])) === 1;
  }

  async leave(worker: string): Promise<void> {
    await this.#pool.execute('DELETE FROM heddle_tx_workers WHERE worker = $1', [worker]);
  }

  async decide(worker: string, decisions: readonly DecidedTx[]): Promise<ReadonlySet<string>> {
    const txs = decisions.map(({ tx }) => tx);
    // The key lock lets the lease be renewed meanwhile, and makes a burial wait.
    const stored = await this.#pool.query<{ tx: string }>(
      `INSERT INTO heddle_tx_decisions (tx, worker, branches)
         SELECT given.tx, alive.worker, given.branches::json
           FROM unnest($2::text[], $3::text[]) AS given (tx, branches),
             (SELECT worker FROM heddle_tx_workers WHERE worker = $1 FOR KEY SHARE) AS alive
         ON CONFLICT (tx) DO NOTHING RETURNING tx`,
      [worker, txs, decisions.map(({ branches }) => JSON.stringify(branches))],
    );
    if (stored.length === decisions.length) return new Set(txs);
    const known = await this.#pool.query<{ tx: string }>(
      'SELECT tx FROM heddle_tx_decisions WHERE tx = ANY ($1::text[])',
      [txs],
    );
    return new Set(known.map(({ tx }) => tx));
  }

  async done(txs: readonly string[]): Promise<void> {
    const update =
      'UPDATE heddle_tx_decisions SET done_at = now() WHERE tx = ANY ($1::text[]) AND done_at IS NULL';
    await this.#pool.execute(update, [txs]);
  }

  async decisionOf(tx: string, worker: string): Promise<KnownDecision> {
    // The burial comes first: what is not decided after it never will be.
    await this.#pool.execute(`DELETE FROM heddle_tx_workers WHERE worker = $1 AND ${expired}`, [worker]);
    const lives = await this.#pool.query('SELECT 1 FROM heddle_tx_workers WHERE worker = $1', [worker]);
    const decided = await this.#pool.query('SELECT 1 FROM heddle_tx_decisions WHERE tx = $1', [tx]);
    if (decided.length > 0) return 'commit';
    return lives.length > 0 ? 'undecided' : 'abort';
  }

  async adopt(worker: string, most: number, atWork: readonly string[]): Promise<readonly DecidedTx[]> {
    await this.#pool.execute(`DELETE FROM heddle_tx_workers WHERE ${expired}`);
    return this.#pool.query<Row>(
      `UPDATE heddle_tx_decisions SET worker = $1 WHERE tx IN (
         SELECT tx FROM heddle_tx_decisions AS decision
           WHERE done_at IS NULL
             AND (NOT EXISTS (SELECT 1 FROM heddle_tx_workers AS alive WHERE alive.worker = decision.worker)
               OR worker = $1 AND tx <> ALL ($3::text[]))
           ORDER BY decided_at LIMIT $2 FOR UPDATE SKIP LOCKED
       ) RETURNING tx, branches`,
      [worker, most, atWork],
    );
  }

  async unconfirmed(most: number): Promise<readonly OpenDecision[]> {
    const rows = await this.#pool.query<Row>(
      `SELECT tx, worker, branches, decided_at FROM heddle_tx_decisions
         WHERE done_at IS NULL ORDER BY decided_at LIMIT $1`,
      [most],
    );
    return rows.map(({ decided_at: decidedAt, ...same }) => ({ ...same, decidedAt }));
  }

  async purge(olderThanMs: number): Promise<void> {
    const sql = "DELETE FROM heddle_tx_decisions WHERE done_at < now() - $1 * interval '1 millisecond'";
    await this.#pool.execute(sql, [olderThanMs]);
  }
}
