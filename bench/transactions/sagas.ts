import { Call, type Runtime } from '@heddle/kernel';
import { saga, type SagaDefinition, SagaEngine } from '@heddle/data/saga';
import { sqlPool } from '@heddle/sql';

/** Something durable that can be done again and again. */
export interface Subject {
  readonly name: string;
  once(): Promise<unknown>;
  stop(): Promise<void>;
}

/** Three steps that do nothing but are stored before and after. */
export const threeSteps: SagaDefinition<{ readonly total: number }, unknown> = saga<{
  readonly total: number;
}>('three')
  .step('one', { run: async () => 1, undo: async () => {} })
  .step('two', { run: async () => 2, undo: async () => {} })
  .step('three', { run: async () => 3, undo: async () => {} })
  .build();

/** Our sagas, from their beginning to their end. */
export async function ourSagas(runtime: Runtime, url: string): Promise<Subject> {
  const pool = sqlPool(url, { runtime, maxConnections: 10 });
  const engine = new SagaEngine({ runtime, pool, url, definitions: [threeSteps] });
  await engine.start();
  return {
    name: 'heddle',
    once: async () => {
      const id = await engine.begin(threeSteps, { total: 7 });
      await engine.outcome(id, Call.root(runtime, runtime.clock.nowMs() + 30_000));
    },
    stop: async () => {
      await engine.stop();
      await pool.stop?.();
    },
  };
}

/** The limit: what a saga of three steps has to store, its beginning and the result of each step, each in a commit of its own. */
export async function rawWrites(runtime: Runtime, url: string): Promise<Subject> {
  const pool = sqlPool(url, { runtime, maxConnections: 16 });
  await pool.execute('CREATE TABLE raw_sagas (id text PRIMARY KEY, state json) WITH (fillfactor = 70)');
  const state = JSON.stringify({
    status: 'running',
    at: 0,
    steps: { one: { phase: 'acting', attempts: 1 } },
  });
  return {
    name: 'raw-writes',
    once: async () => {
      const id = runtime.random.uuid();
      await pool.execute('INSERT INTO raw_sagas (id, state) VALUES ($1, $2)', [id, state]);
      for (let step = 0; step < 3; step += 1)
        await pool.execute('UPDATE raw_sagas SET state = $2 WHERE id = $1', [id, state]);
    },
    stop: () => pool.stop?.() ?? Promise.resolve(),
  };
}

/** The reference: one row in a transaction of its own. */
export async function rawInserts(runtime: Runtime, url: string): Promise<Subject> {
  const pool = sqlPool(url, { runtime, maxConnections: 16 });
  await pool.execute('CREATE TABLE raw (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)');
  return {
    name: 'raw-insert',
    once: () => pool.execute('INSERT INTO raw (body) VALUES ($1)', ['{"total":7}']),
    stop: () => pool.stop?.() ?? Promise.resolve(),
  };
}
