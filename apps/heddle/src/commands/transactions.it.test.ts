import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Call, HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { saga, SagaEngine } from '@heddle/data/saga';
import { PostgresParticipant, SqlDecisionLog, TxCoordinator } from '@heddle/data/twophase';
import { embeddedPostgres, type SqlPool, sqlPool } from '@heddle/sql';
import { type Command, readArguments } from '../command.ts';
import { commandHelp } from '../help.ts';
import { saga as sagaCommand } from './saga.ts';
import { tx } from './tx.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
}

const commands: readonly Command[] = [sagaCommand, tx];

/** Runs the command here, as the program does. */
async function heddle(...args: readonly string[]): Promise<Ran> {
  const [name, ...rest] = args;
  const command = commands.find((each) => each.name === name) ?? assert.fail(name);
  let out = '';
  const terminal = {
    out: (text: string) => (out += text),
    err: (text: string) => (out += text),
    interactive: false,
    colours: false,
    width: 80,
  };
  try {
    const code = await command.run(readArguments(command, rest), {
      terminal,
      commands: async () => commands,
      onSignal: () => {},
    });
    return { code, out };
  } catch (thrown) {
    const { reason, message } = HeddleError.from(thrown);
    return { code: reason === 'USAGE' ? 2 : 1, out: out + message };
  }
}

/** Runs the program as a shell does. */
function program(...args: readonly string[]): Promise<Ran> {
  const main = path.join(import.meta.dirname, '..', 'main.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=@heddle/source', main, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout + stderr });
    });
  });
}

/** A database for the command to look at. */
async function withDatabase(
  run: (pool: SqlPool, url: string, runtime: Runtime) => Promise<void>,
): Promise<void> {
  const runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-cli-'));
  const server = embeddedPostgres({ runtime, folder });
  await server.start();
  const url = await server.createDatabase('work');
  const pool = sqlPool(url, { runtime });
  try {
    await run(pool, url, runtime);
  } finally {
    await pool.stop();
    await server.stop();
    await rm(await realpath(path.join(folder, 'server')), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

test('heddle saga helps what is parked, with an audit', () =>
  withDatabase(async (pool, url, runtime) => {
    const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });
    let broken = true;
    const definition = saga<string>('refund')
      .step('pay', {
        run: async () => 1,
        undo: () => (broken ? Promise.reject(down) : Promise.resolve()),
        undoAttempts: 1,
      })
      .step('ship', { run: () => Promise.reject(down), attempts: 1 })
      .build();
    const kept = saga<string>('kept')
      .step('pay', { run: async () => 1, undo: async () => {} })
      .build();
    const engine = new SagaEngine({ runtime, pool, url, definitions: [definition, kept], pollMs: 50 });
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
    const drawn = await heddle('saga', 'show', id, '--database', url, '--draw');
    assert.match(drawn.out, /^flowchart LR\n {2}step-\w+\["/);
    assert.equal((await heddle('saga', 'show', 'nobody', '--database', url)).code, 1);

    broken = true;
    const again = await engine.begin(definition, 'y');
    const restOf = async (): Promise<string> =>
      (await engine.outcome(again, Call.root(runtime, runtime.clock.nowMs() + 60_000))).status;
    while ((await restOf()) !== 'parked');
    broken = false;
    assert.match(
      (await heddle('saga', 'retry', again, '--database', url, '--by', 'bob')).out,
      /told to retry, by bob/,
    );
    while ((await engine.store.get(again)).status !== 'compensated') await restOf();
    const whole = await engine.begin(kept, 'z');
    await engine.outcome(whole, Call.root(runtime, runtime.clock.nowMs() + 60_000));
    const undone = ['saga', 'compensate', whole, '--database', url, '--why', 'wrong price', '--json'];
    assert.deepEqual(JSON.parse((await heddle(...undone, '--by', 'cleo')).out), {
      id: whole,
      said: 'compensate',
      by: 'cleo',
    });
    const end = async (): Promise<string> => (await engine.store.get(whole)).status;
    while ((await end()) !== 'compensated') await sleep(runtime.timers, 20);
    assert.match((await heddle('saga', 'show', whole, '--database', url)).out, /cleo: wrong price/);
    const named = await heddle('saga', 'list', '--database', url, '--name', 'kept', '--json');
    assert.deepEqual(
      (JSON.parse(named.out) as { id: string }[]).map((each) => each.id),
      [whole],
    );
    await engine.stop();
  }));

test('heddle saga and heddle tx say what they need', async () => {
  const url = 'postgres://nobody@127.0.0.1:1/none';
  const wrong = [
    ['saga'],
    ['saga', 'show'],
    ['saga', 'list', '--status', 'odd'],
    ['saga', 'list', '--draw'],
    ['tx'],
    ['tx', 'list', 'x'],
  ];
  for (const words of wrong)
    assert.equal((await heddle(...words, '--database', url)).code, 2, words.join(' '));
  const help = await program('saga', '--help');
  for (const verb of ['list', 'show', 'retry', 'skip', 'compensate'])
    assert.match(help.out, new RegExp(`heddle saga ${verb} `));
  assert.match(commandHelp(tx), /heddle tx list [\s\S]*heddle tx settle /);
});

test('heddle tx settles what was left', () =>
  withDatabase(async (pool, url, runtime) => {
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
  }));
