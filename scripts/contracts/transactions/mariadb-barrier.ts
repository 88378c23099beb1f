// Branches in a real MariaDB: what is told twice, too early or too late has no effect there either.
import assert from 'node:assert/strict';
import { createPool, type Pool, type PoolConnection, type RowDataPacket } from 'mysql2/promise';
import { Call } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { prepareMariadbBarrier } from '@heddle/data/barrier';
import { mariadbTccService, type TccRequest, type TccService } from '@heddle/data/tcc';
import { mariadbUser } from '../../engines/mariadb.ts';
import { type ContractResult, resultOf } from '../result.ts';

const runtime = { ...nodeRuntime({ name: 'mariadb' }), log: () => {} };

/** An account, and how it is told. */
interface Stage {
  readonly say: (op: TccRequest['op'], tx: string) => Promise<boolean>;
  /** What is free, and what is held. */
  readonly read: () => Promise<readonly number[]>;
  /** Called in each try, when its work is done and before it is committed. */
  tried: () => Promise<void>;
}

const cases: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'each instruction has its effect once': async ({ say, read }) => {
    assert.deepEqual([await say('try', 'a'), await say('try', 'a')], [true, false]);
    assert.deepEqual(await read(), [90, 10]);
    assert.deepEqual([await say('confirm', 'a'), await say('confirm', 'a')], [true, false]);
    assert.deepEqual(await read(), [90, 0]);
  },
  'a cancel without a try has none, and the try that comes after it is refused': async ({ say, read }) => {
    assert.equal(await say('cancel', 'a'), false);
    await assert.rejects(say('try', 'a'), { reason: 'TCC_OVER' });
    assert.deepEqual(await read(), [100, 0]);
  },
  'of many tries at one time one has an effect': async ({ say, read }) => {
    const all = await Promise.all(Array.from({ length: 8 }, () => say('try', 'a')));
    assert.equal(all.filter(Boolean).length, 1);
    assert.deepEqual(await read(), [90, 10]);
  },
  'a cancel waits for the try that is under way, and takes it back': async (stage) => {
    let arrived: () => void = () => {};
    let release: () => void = () => {};
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const end = new Promise<void>((resolve) => (release = resolve));
    stage.tried = () => {
      arrived();
      return end;
    };
    const tried = stage.say('try', 'a');
    await arrival;
    const cancelled = stage.say('cancel', 'a');
    release();
    assert.deepEqual([await tried, await cancelled], [true, true]);
    assert.deepEqual(await stage.read(), [100, 0]);
  },
  'ids that the table would shorten are refused': async ({ say }) => {
    await assert.rejects(say('try', 'x'.repeat(256)), { reason: 'BAD_MARK' });
  },
};

/** All cases, each with an account of its own. */
export async function mariadbBarrier(
  port: number,
  backend: string,
  only: (name: string) => boolean,
): Promise<readonly ContractResult[]> {
  const account = { user: mariadbUser, password: mariadbUser, database: 'matrix' };
  const pool = createPool({ host: '127.0.0.1', port, ...account });
  const results: ContractResult[] = [];
  try {
    await prepareMariadbBarrier(pool);
    await pool.query(
      'CREATE TABLE IF NOT EXISTS branch (name varchar(20) PRIMARY KEY, free integer, held integer) ENGINE=InnoDB',
    );
    for (const [at, [name, run]] of Object.entries(cases).entries()) {
      const title = `branches in MariaDB: ${name}`;
      if (only(title))
        results.push(
          await resultOf(backend, 'PostgreSQL 18', title, async () =>
            run(await stageOn(pool, `account-${at}`)),
          ),
        );
    }
    return results;
  } finally {
    await pool.end();
  }
}

async function stageOn(pool: Pool, name: string): Promise<Stage> {
  await pool.query('INSERT INTO branch VALUES (?, 100, 0)', [name]);
  const change =
    (free: number, held: number) =>
    (connection: PoolConnection): Promise<unknown> =>
      connection.query('UPDATE branch SET free = free + ?, held = held + ? WHERE name = ?', [
        free,
        held,
        name,
      ]);
  const stage: Stage = {
    tried: () => Promise.resolve(),
    say: async (op, tx) => {
      const call = Call.root(runtime, runtime.clock.nowMs() + 60_000);
      return (await service({ op, tx, branch: name, payload: {} }, call)).done;
    },
    read: async () => {
      const [rows] = await pool.query<RowDataPacket[]>('SELECT free, held FROM branch WHERE name = ?', [
        name,
      ]);
      return [Number(rows[0]?.['free']), Number(rows[0]?.['held'])];
    },
  };
  const service: TccService = mariadbTccService<unknown, PoolConnection>({
    pool,
    reserve: async (connection) => {
      await change(-10, 10)(connection);
      await stage.tried();
    },
    confirm: change(0, -10),
    cancel: change(10, -10),
  });
  return stage;
}
