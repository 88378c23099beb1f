import type { Runtime } from '@heddle/kernel';
import { PostgresParticipant, SqlDecisionLog, TxCoordinator } from '@heddle/data/twophase';
import { type Sql, type SqlPool, sqlPool } from '@heddle/sql';
import { median } from '../measure.ts';
import type { BenchResult } from '../report.ts';
import { perSecond } from './per-second.ts';

const sixteen = 16;

/** Two databases in one transaction, beside both changes in one database and its own transaction. */
export async function twoPhase(
  runtime: Runtime,
  [log, one, two]: readonly [string, string, string],
  quick: boolean,
): Promise<BenchResult> {
  const pools = [log, one, two].map((url) => sqlPool(url, { runtime, maxConnections: sixteen }));
  const [logPool, onePool, twoPool] = pools as [SqlPool, SqlPool, SqlPool];
  for (const pool of [onePool, twoPool])
    await pool.execute(
      'CREATE TABLE account (id integer PRIMARY KEY, amount bigint); INSERT INTO account SELECT n, 0 FROM generate_series(0, 999) AS n',
    );
  const [first, second] = [
    new PostgresParticipant({ name: 'first', pool: onePool }),
    new PostgresParticipant({ name: 'second', pool: twoPool }),
  ];
  const coordinator = new TxCoordinator({
    runtime,
    log: new SqlDecisionLog(logPool),
    participants: [first, second],
  });
  await coordinator.start();
  let next = 0;
  const add = (id: number, amount: number) => (sql: Sql) =>
    sql.execute('UPDATE account SET amount = amount + $1 WHERE id = $2', [amount, id % 1000]);
  const both = (): Promise<unknown> => {
    next += 1;
    const id = next;
    return coordinator.run((tx) =>
      Promise.all([tx.join(first.branch(add(id, -1))), tx.join(second.branch(add(id, 1)))]),
    );
  };
  const local = (): Promise<unknown> => {
    next += 1;
    const id = next;
    return onePool.transaction(async (sql) => {
      await add(id, -1)(sql);
      await add(id + 500, 1)(sql);
    });
  };
  const samples: { ours: number; local: number }[] = [];
  for (let round = 0; round < (quick ? 3 : 5); round += 1) {
    const turnMs = quick ? 500 : 2000;
    samples.push({
      ours: await perSecond({ once: both }, sixteen, turnMs),
      local: await perSecond({ once: local }, sixteen, turnMs),
    });
  }
  await coordinator.stop();
  for (const pool of pools) await pool.stop?.();
  const value = median(samples.map(({ ours }) => ours));
  const peerValue = median(samples.map((each) => each.local));
  const ratio = value / peerValue;
  return {
    name: 'twophase',
    subject: 'heddle',
    unit: '1/s',
    value,
    peer: 'local-tx',
    peerValue,
    ratio,
    detail: 'two databases in one server, 16 at once',
    goal: 'at least 0.15',
    goalMet: ratio >= 0.15,
  };
}
