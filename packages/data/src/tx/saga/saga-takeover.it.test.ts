// What is left by a process that has died, and by one that died while it took over.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call } from '@heddle/kernel';
import { type Database, databases, runtime, until } from '../../testing/node/databases.ts';
import { saga } from './definition.ts';
import { SagaEngine, type SagaEngineSettings } from './saga-engine.ts';
import type { SagaInput } from './saga-state.ts';
import type { AnySaga } from './step.ts';

let server: Awaited<ReturnType<typeof databases>>;
before(async () => {
  server = await databases();
});
after(() => server.stop());

interface Stage extends Database {
  readonly open: (definition: AnySaga, more?: Partial<SagaEngineSettings>) => Promise<SagaEngine>;
}

async function withStage(run: (stage: Stage) => Promise<void>): Promise<void> {
  const database = await server.create();
  const engines: SagaEngine[] = [];
  try {
    await run({
      ...database,
      open: async (definition, more = {}) => {
        const { pool, url } = database;
        const settings = { runtime, definitions: [definition], leaseMs: 1000, pollMs: 50, ...more };
        const engine = new SagaEngine({ pool, url, ...settings });
        engines.push(engine);
        await engine.start();
        return engine;
      },
    });
  } finally {
    for (const engine of engines) await engine.stop();
    await database.close();
  }
}

test('what was said to a saga at rest is not lost with the process that had just taken it over for that', () =>
  withStage(async ({ open, pool }) => {
    const undone: string[] = [];
    const undo = async ({ key }: { readonly key: string }): Promise<void> => void undone.push(key);
    const definition = saga<object>('buy')
      .step('pay', { run: async () => 1, undo })
      .build();
    const first = await open(definition);
    const id = await first.begin(definition, {});
    const call = Call.root(runtime, runtime.clock.nowMs() + 60_000);
    assert.equal((await first.outcome(id, call)).status, 'completed');
    call.end();
    await first.stop();
    const failure = { code: 'aborted', reason: 'BY_HAND', message: 'ada: recall' };
    await first.store.say(id, { kind: 'compensate', failure } satisfies SagaInput, 'ada');
    // As whoever has claimed it leaves it when it dies before it has listened.
    await pool.execute(
      "UPDATE heddle_sagas SET worker = 'dead', wanted = false, epoch = epoch + 1 WHERE id = $1",
      [id],
    );
    const second = await open(definition);
    await until('it is undone', async () => (await second.store.get(id)).status === 'compensated');
    assert.deepEqual(undone, [`${id}/pay/undo`]);
  }));

test('what a dead process has left is taken over as soon as there is room for it, and not at the next look', () =>
  withStage(async ({ open, pool }) => {
    const definition = saga<object>('left')
      .step('only', { run: async () => 1 })
      .build();
    await (await open(definition)).stop();
    const state = { status: 'running', at: 0, steps: {}, effective: [] };
    await pool.execute(
      `INSERT INTO heddle_sagas (id, name, version, status, input, state, correlation_id, worker)
         SELECT 'l' || n, 'left', 1, 'running', '{}', $1::json, 'l' || n, 'dead' FROM generate_series(1, 50) AS n`,
      [JSON.stringify(state)],
    );
    const heir = await open(definition, { maxRunning: 4, pollMs: 3_600_000 });
    await until('all have ended', async () => (await heir.store.list({ status: 'completed' })).length === 50);
  }));
