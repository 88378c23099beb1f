import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { EventStore, EventSubscription, RunningProjection } from '@heddle/data/eventstore';
import { broker } from '@heddle/messaging';
import { postgresEngine } from '@heddle/messaging/postgres';
import { type EmbeddedPostgres, embeddedPostgres, sqlPool } from '@heddle/sql';
import { type Command, readArguments } from '../command.ts';
import { commandHelp } from '../help.ts';
import { dlq } from './dlq.ts';
import { emit } from './emit.ts';
import { events } from './events.ts';
import { topics } from './topics.ts';

const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
let folder: string;
let server: EmbeddedPostgres;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'heddle-cli-'));
  server = embeddedPostgres({ runtime, folder });
  await server.start();
});

after(async () => {
  await server.stop();
  await rm(await realpath(path.join(folder, 'server')), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const commands: readonly Command[] = [dlq, emit, events, topics];

/** Runs the command here, as the program does. */
async function heddle(args: readonly string[]): Promise<Ran> {
  const [name, ...rest] = args;
  const command = commands.find((each) => each.name === name) ?? assert.fail(name);
  let [out, err] = ['', ''];
  const terminal = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    interactive: false,
    colours: false,
    width: 80,
  };
  try {
    const code = await command.run(readArguments(command, rest), {
      terminal,
      onSignal: () => {},
      commands,
    });
    return { code, out, err };
  } catch (thrown) {
    const { reason, message } = HeddleError.from(thrown);
    return { code: reason === 'USAGE' ? 2 : 1, out, err: err + message };
  }
}

/** Runs the program as a shell does, with that input. */
function program(args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const main = path.join(import.meta.dirname, '..', 'main.ts');
    const words = ['--conditions=@heddle/source', main, ...args];
    const child = execFile(process.execPath, words, { timeout: 120_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
    child.stdin?.end(input);
  });
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpMs = runtime.clock.nowMs() + 60_000;
  while (!(await condition())) {
    if (runtime.clock.nowMs() > giveUpMs) throw new Error(`not within a minute: ${what}`);
    await sleep(runtime.timers, 20);
  }
}

function ran({ code, out, err }: Ran): string {
  assert.equal(code, 0, out + err);
  return out;
}

test('heddle topics, emit and dlq: a message is sent, put aside, looked at, and sent again', async (t) => {
  const url = await server.createDatabase('messages');
  const pool = sqlPool(url, { runtime });
  const at = ['--broker', url];
  assert.match(ran(await heddle(['topics', 'list', ...at])), /there are no topics/);
  assert.match(ran(await heddle(['topics', 'create', 'orders', '--partitions', '2', ...at])), /2 partitions/);
  const bus = broker(await postgresEngine({ runtime, pool, url }), { runtime, source: 'test' });
  t.after(async () => {
    await bus.close();
    await pool.stop();
  });
  let broken = true;
  const handled: string[] = [];
  await bus.subscribe('orders', { group: 'billing', attempts: 1 }, async ({ message }) => {
    if (broken) throw new HeddleError({ code: 'internal', reason: 'NO_PRICE', message: 'a has no price' });
    handled.push(Buffer.from(message.payload).toString());
  });
  await bus.createTopic('prices', { partitions: 1 });
  await bus.answer('prices', { group: 'desk' }, async () => ({ payload: Buffer.from('42') }));

  const said = ran(await heddle(['emit', 'orders', '{"sku":"a"}', '--key', 'a', '--json', ...at]));
  const { id } = JSON.parse(said) as { id: string };
  assert.match(
    ran(await program(['emit', 'orders', '--lines', ...at], '{"sku":"b"}\n{"sku":"c"}\n')),
    /sent 2 messages/,
  );
  const dead = bus.deadLetters('orders', 'billing');
  await until('three dead letters', async () => (await dead.list()).length === 3);
  assert.match(ran(await heddle(['dlq', 'list', ...at])), /orders +billing +3/);
  assert.match(ran(await heddle(['dlq', 'list', 'orders', 'billing', ...at])), /NO_PRICE +a has no price/);
  const shown = JSON.parse(ran(await heddle(['dlq', 'show', 'orders', 'billing', id, ...at]))) as {
    message: { payload: unknown; key: string };
  };
  assert.deepEqual([shown.message.payload, shown.message.key], [{ sku: 'a' }, 'a']);
  broken = false;
  assert.match(
    ran(await heddle(['dlq', 'replay', 'orders', 'billing', id, ...at])),
    /1 message was sent again/,
  );
  await until('the replayed one', () => handled.length === 1);
  assert.deepEqual(handled, ['{"sku":"a"}']);
  assert.match(
    ran(await heddle(['dlq', 'drop', 'orders', 'billing', '--all', ...at])),
    /2 messages were dropped/,
  );
  assert.match(ran(await heddle(['dlq', 'list', ...at])), /there are no dead letters/);

  assert.equal(
    ran(await heddle(['emit', 'prices', '{}', '--kind', 'query', '--timeout', '60', ...at])),
    '42\n',
  );
  await until('nothing left to do', async () =>
    /has 0 messages of orders to do/.test(ran(await heddle(['topics', 'lag', 'orders', 'billing', ...at]))),
  );
  assert.match(ran(await heddle(['topics', 'delete', 'orders', ...at])), /is gone/);
  assert.equal((await heddle(['topics', 'delete', 'orders', ...at])).code, 1);
  const unsent = await heddle(['emit', 'orders', '{}', ...at]);
  assert.equal(unsent.code, 1);
  assert.match(unsent.err, /there is no topic orders; make it with/);
});

test('heddle events follows the store, and has subscriptions and projections begin again', async (t) => {
  const url = await server.createDatabase('events');
  const pool = sqlPool(url, { runtime });
  const store = new EventStore({ runtime, pool, url });
  await store.start();
  const parts: { stop(): Promise<void> }[] = [];
  t.after(async () => {
    for (const part of parts) await part.stop();
    await store.stop();
    await pool.stop();
  });
  for (const total of [1, 2, 3]) await store.append(`order-${total}`, [{ type: 'placed', data: { total } }]);
  const seen: number[] = [];
  const options = { name: 'billing', attempts: 1, backoff: { baseMs: 1, maxMs: 1 }, pollMs: 50 };
  const subscription = new EventSubscription(store, options, async (events) => {
    const totals = events.map(({ data }) => (data as { total: number }).total);
    if (totals.includes(2) && seen.length < 3) throw new Error('two is too many');
    seen.push(...totals);
  });
  parts.push(subscription);
  await subscription.start();
  const projection = new RunningProjection(store, {
    name: 'totals',
    version: 1,
    sql: 'CREATE TABLE {table} (total integer)',
    apply: async (events, sql, table) => {
      for (const { data } of events)
        await sql.execute(`INSERT INTO ${table} VALUES ($1)`, [(data as { total: number }).total]);
    },
  });
  parts.push(projection);
  await projection.start();
  await projection.caughtUp();
  const at = ['--database', url];
  const tail = await heddle(['events', 'tail', '--after', '1', '--limit', '2', '--json', ...at]);
  const lines = ran(tail).trim().split('\n');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { position: number }).position),
    [2, 3],
  );
  assert.match(
    ran(await heddle(['events', 'tail', '--for', '0.5', ...at])),
    /1 {2}order-1@1 {2}placed {2}\{"total":1\}/,
  );
  assert.match(ran(await heddle(['events', 'read', 'order-3', ...at])), /order-3@1/);
  assert.equal((await heddle(['events', 'read', 'nothing', ...at])).code, 1);

  await until('one put aside', async () =>
    /two is too many/.test((await heddle(['events', 'parked', 'billing', ...at])).out),
  );
  assert.match(ran(await heddle(['events', 'subscriptions', ...at])), /billing +1 +3 +0 +1/);
  seen.push(0);
  assert.match(ran(await heddle(['events', 'replay', 'billing', ...at])), /begins again behind 0/);
  await until('all of them again', () => seen.filter((total) => total === 2).length === 1);
  await pool.execute('DELETE FROM totals_v1 WHERE total = 2');
  assert.match(ran(await heddle(['events', 'rebuild', 'totals', ...at])), /built again/);
  await until('three totals', async () => (await pool.query('SELECT total FROM totals')).length === 3);
  assert.equal((await heddle(['events', 'replay', 'nobody', ...at])).code, 1);
});

test('what is wrong on the command line is said before anything is asked', async () => {
  const wrong: readonly (readonly string[])[] = [
    ['emit'],
    ['emit', 'orders', '{}', '--kind', 'wish', '--broker', 'redis://x'],
    ['emit', 'orders', '{}', '--headers', '[1]', '--broker', 'redis://x'],
    ['emit', 'orders', '{}', '--broker', 'ftp://x'],
    ['emit', 'orders', '{}', '--broker', 'amqp://x'],
    ['topics', 'lag', 'orders', '--broker', 'redis://x'],
    ['dlq', 'replay', 'orders', 'billing', '--broker', 'redis://x'],
    ['events', 'drop', 'billing'],
    ['events', 'dance'],
  ];
  for (const args of wrong) assert.equal((await heddle(args)).code, 2, args.join(' '));
  for (const command of commands)
    assert.match(commandHelp(command, 80), new RegExp(`heddle ${command.name} .*(\n.*)*--json`));
  assert.equal((await program(['events', 'dance'])).code, 2);
  assert.match(ran(await program(['dlq', '--help'])), /heddle dlq replay orders billing --all/);
});
