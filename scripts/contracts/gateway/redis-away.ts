// What holds while Redis is dead, or hangs, in the middle of a run; and that it recovers.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisOptions } from '../../engines/redis.ts';
import type { MortalServer } from '../messaging/server-stage.ts';
import { type RunningGateway, startGateway } from './heddle.ts';

type Mode = 'open' | 'closed' | 'local';

const limit = 15;
const requests = 120;
/** Far longer than a decision may take, also on a machine that has other things to do. */
const patienceMs = 60_000;
/** No answer may take as long as this: an idle one takes milliseconds, and a dead store 250. */
const hangMs = 10_000;

/** A case for each mode with a Redis that is killed, and one with a Redis that hangs. */
export function awayCases(
  server: MortalServer<RedisOptions>,
): { readonly name: string; readonly run: () => Promise<void> }[] {
  const killed = (['open', 'closed', 'local'] as const).map((mode) => ({
    name: `killed in the middle of a run, ${mode}: the mode holds, nothing hangs, it recovers, it is counted`,
    run: () => withGateway(server, mode, (gateway) => killedMidRun(server, gateway, mode)),
  }));
  const hangs = {
    name: 'hangs in the middle of a run, local: nothing hangs with it',
    run: () => withGateway(server, 'local', (gateway) => stoppedMidRun(server, gateway)),
  };
  return [...killed, hangs];
}

async function withGateway(
  server: MortalServer<RedisOptions>,
  mode: Mode,
  work: (gateway: RunningGateway) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-away-'));
  const file = path.join(folder, 'gateway.json');
  const { host, port } = server.address;
  const rule = { algorithm: 'fixed_window', limit, windowMs: 86_400_000 };
  const route = (name: string): object => ({
    path: `/${name}`,
    respond: { status: 200 },
    rateLimit: [{ name: 'all', key: ['header:x-who'], rule }],
  });
  const rateLimitStore = {
    redis: `redis://${host}:${port}`,
    prefix: `away-${path.basename(folder)}:`,
    onFailure: mode,
  };
  writeFileSync(file, JSON.stringify({ rateLimitStore, routes: [route('run'), route('after')] }));
  const gateway = await startGateway(['--config', file, '--port', '0', '--workers', '1']);
  try {
    await work(gateway);
  } finally {
    const code = await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
    assert.equal(code, 0);
  }
}

async function killedMidRun(
  server: MortalServer<RedisOptions>,
  gateway: RunningGateway,
  mode: Mode,
): Promise<void> {
  // By Redis: exactly the limit.
  assert.equal(count(await many(gateway, 'before', requests), 200), limit);
  assert.equal(await failures(gateway), 0);
  const during = many(gateway, 'during', requests, async (at) => {
    if (at === requests / 3) await server.faults.kill?.();
  });
  const statuses = await during;
  const without = statuses.slice(requests / 2);
  if (mode === 'open') assert.equal(count(without, 200), without.length, 'all are let through');
  if (mode === 'closed') assert.equal(count(without, 429), without.length, 'none is let through');
  // Redis may have let through its limit before, and the gateway alone its own after.
  if (mode === 'local')
    assert.ok(count(statuses, 200) <= 2 * limit, `${count(statuses, 200)} are let through`);
  if (mode === 'local')
    assert.equal(count(await many(gateway, 'alone', requests), 200), limit, 'its own limit holds');
  assert.ok((await failures(gateway)) > 0, 'failures are counted');
  await server.faults.restart?.();
  await recovered(gateway);
  assert.equal(count(await many(gateway, 'again', requests), 200), limit, 'by Redis again');
}

async function stoppedMidRun(server: MortalServer<RedisOptions>, gateway: RunningGateway): Promise<void> {
  await many(gateway, 'before', 10);
  server.signal('SIGSTOP');
  try {
    const statuses = await many(gateway, 'during', requests);
    assert.equal(count(statuses, 200), limit, 'its own limit holds');
  } finally {
    server.signal('SIGCONT');
  }
  await recovered(gateway);
  assert.equal(count(await many(gateway, 'again', requests), 200), limit, 'by Redis again');
}

/** Decisions are made by the store again: no more failures are counted. */
async function recovered(gateway: RunningGateway): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  for (let n = 0; ; n++) {
    const before = await failures(gateway);
    await many(gateway, `probe-${n}`, 1);
    if ((await failures(gateway)) === before) return;
    assert.ok(performance.now() < giveUpAt, `not recovered within ${patienceMs} ms`);
    await delay(20);
  }
}

/** The statuses of requests by one caller, a few at a time, in the order of their beginning. */
async function many(
  gateway: RunningGateway,
  who: string,
  count: number,
  before: (at: number) => Promise<void> = async () => {},
): Promise<number[]> {
  const statuses: number[] = [];
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      await before(at);
      const startMs = performance.now();
      const answer = await fetch(`${gateway.url}/run`, { headers: { 'x-who': who } });
      await answer.arrayBuffer();
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs < hangMs, `an answer took ${tookMs} ms`);
      statuses[at] = answer.status;
    }
  };
  await Promise.all(Array.from({ length: 8 }, loop));
  return statuses;
}

function count(statuses: readonly number[], status: number): number {
  return statuses.filter((each) => each === status).length;
}

async function failures({ admin }: RunningGateway): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const lines = text.matchAll(/^gateway_rate_limit_store_failures_total\{.*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}
