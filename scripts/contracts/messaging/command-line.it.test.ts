// `heddle topics`, `emit` and `dlq` on engines that are not PostgreSQL, as a shell runs them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { until } from '@heddle/kernel/testing';
import { broker, type Engine as MessageEngine } from '@heddle/messaging';
import { natsEngine } from '@heddle/messaging/nats';
import { redisEngine } from '@heddle/messaging/redis';
import { isMissing, obtain, type Place } from '../../engines/engine.ts';
import { nats } from '../../engines/nats.ts';
import { redis } from '../../engines/redis.ts';
import { root } from '../../files.ts';
import { quietRuntime as runtime } from './stage.ts';

const program = path.join(root, 'apps', 'heddle', 'src', 'main.ts');

/** What it has printed. Rejects unless it ends with 0. */
function heddle(url: string, ...words: readonly string[]): Promise<string> {
  const args = ['--conditions=@heddle/source', program, ...words, '--broker', url];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: 120_000 }, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`heddle ${words.join(' ')}: ${out}${err}`));
    });
  });
}

/** Sends, has it put aside, looks at it, and sends it again: all from the command line. */
async function useFromShell(url: string, engine: MessageEngine): Promise<void> {
  assert.match(await heddle(url, 'topics', 'create', 'orders', '--partitions', '2'), /2 partitions/);
  const bus = broker(engine, { runtime, source: 'test' });
  try {
    let broken = true;
    const handled: string[] = [];
    await bus.subscribe('orders', { group: 'billing', attempts: 1 }, async ({ message }) => {
      if (broken) throw new Error('has no price');
      handled.push(Buffer.from(message.payload).toString());
    });
    await heddle(url, 'emit', 'orders', '{"sku":"a"}', '--key', 'a');
    const dead = bus.deadLetters('orders', 'billing');
    await until(runtime, 'it is put aside', 120_000, async () => (await dead.list()).length === 1);
    assert.match(await heddle(url, 'dlq', 'list', 'orders', 'billing'), /has no price/);
    broken = false;
    assert.match(
      await heddle(url, 'dlq', 'replay', 'orders', 'billing', '--all'),
      /1 message was sent again/,
    );
    await until(runtime, 'it is handled', 120_000, () => handled.length === 1);
    assert.deepEqual(handled, ['{"sku":"a"}']);
    await until(runtime, 'nothing is left', 120_000, async () =>
      /has 0 messages of orders to do/.test(await heddle(url, 'topics', 'lag', 'orders', 'billing')),
    );
    assert.match(await heddle(url, 'topics', 'list', '--json'), /"orders"/);
  } finally {
    await bus.close();
  }
}

type Startable = typeof redis | typeof nats;

const engines: readonly (readonly [Startable, (place: Place) => [string, Promise<MessageEngine>]])[] = [
  [redis, (place) => [`redis://${place.host}:${place.port}`, redisEngine({ runtime, redis: place })]],
  [
    nats,
    ({ host, port }) => {
      const servers = `${host}:${port}`;
      return [`nats://${servers}`, natsEngine({ runtime, nats: { servers } })];
    },
  ],
];

for (const [server, open] of engines)
  test(`the command line works with ${server.name}`, { timeout: 400_000 }, async (t) => {
    const found = await obtain(server);
    if (isMissing(found)) return t.skip(found.missing);
    const running = await server.start({});
    try {
      const [url, engine] = open(running.address);
      await useFromShell(url, await engine);
    } finally {
      await running.stop();
    }
  });
