import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Call, HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { saga, SagaEngine } from '@heddle/data/saga';
import { PostgresParticipant, SqlDecisionLog, TxCoordinator } from '@heddle/data/twophase';
import { embeddedPostgres, sqlPool } from '@heddle/sql';

const program = path.join(import.meta.dirname, '..', 'main.ts');

interface Ran {
  readonly code: number;
  readonly out: string;
}

function heddle(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=@heddle/source', program, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout + stderr });
    });
  });
}

test('heddle saga helps what is parked, with an audit; heddle tx settles what was left', async () => {
  const runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-cli-'));
  const server = embeddedPostgres({ runtime, folder });
  await server.start();
  const url = await server.createDatabase('work');
  const pool = sqlPool(url, { runtime });
  const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });
  const definition = saga<string>('refund')
    .step('pay', { run: async () => 1, undo: () => Promise.reject(down), undoAttempts: 1 })
    .step('ship', { run: () => Promise.reject(down), attempts: 1 })
    .build();
  const engine = new SagaEngine({ runtime, pool, url, definitions: [definition], pollMs: 50 });
  await engine.start();
  const id = await engine.begin(definition, 'x');
  const rest = (): Promise<{ readonly status: string }> =>
    engine.outcome(id, Call.root(runtime, runtime.clock.nowMs() + 20_000));
  assert.equal((await rest()).status, 'parked');
  const listed = await heddle('saga', 'list', '--database', url, '--status', 'parked', '--json');
  assert.deepEqual(
    (JSON.parse(listed.out) as { id: string }[]).map((each) => each.id),
    [id],
  );
  assert.equal((await heddle('saga', 'skip', id, '--database', url)).code, 2);
  assert.equal((await heddle('saga', 'skip', id, 'pay', '--database', url, '--by', 'ada')).code, 0);
  while ((await engine.store.get(id)).status !== 'compensated') await rest();
  const shown = await heddle('saga', 'show', id, '--database', url);
  assert.match(shown.out, /compensated[\s\S]*ada +settle +yes/);
  assert.equal((await heddle('saga', 'show', 'nobody', '--database', url)).code, 1);

  const participant = new PostgresParticipant({ name: 'work', pool });
  const coordinator = new TxCoordinator({
    runtime,
    log: new SqlDecisionLog(pool),
    participants: [participant],
  });
  await coordinator.start();
  await coordinator.stop();
  const log = await new SqlDecisionLog(pool).open();
  await pool.execute(`BEGIN; CREATE TABLE left_behind (); PREPARE TRANSACTION 'heddle/${log}.dead.1/work'`);
  assert.match((await heddle('tx', 'list', '--database', url)).out, /prepared +work/);
  assert.match((await heddle('tx', 'settle', '--database', url)).out, /rolled back/);
  assert.match((await heddle('tx', 'list', '--database', url)).out, /nothing is in doubt/);
  await engine.stop();
  await pool.stop?.();
  await server.stop?.();
  await rm(await realpath(path.join(folder, 'server')), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});
