// Four gateways as processes of their own, which count on one Redis, and an upstream that sees what comes through.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Runtime, sleep } from '@heddle/kernel';
import { jsonAnswer } from '@heddle/proxy';
import { type HttpServer, serve } from '@heddle/wire';
import type { Place } from '../../engines/engine.ts';
import { type CountedLoad, countedLoads } from './counted-load.ts';
import { type RunningGateway, startGateway } from './heddle.ts';

const processes = 4;
const hour = 3_600_000;
/** How many are let through in an hour: nothing comes back while a burst lasts, however slow the machine is. */
const limit = 200;
const second = 1000;
const perSecond = 100;
const burst = 200;
const atATime = 5;
const workMs = 10;

interface Bound {
  readonly name: string;
  readonly rule: object;
  /** What may be let through at most, and what it allows at least, in a run between two times. */
  readonly most: (startMs: number, endMs: number) => number;
  readonly least: (startMs: number, endMs: number) => number;
}

/** Windows of a second that a run has touched, and those that lie in it wholly. */
const touched = (start: number, end: number): number =>
  Math.floor(end / second) - Math.floor(start / second) + 1;
const within = (start: number, end: number): number =>
  Math.max(0, Math.floor(end / second) - Math.ceil(start / second));
const seconds = (start: number, end: number): number => (end - start) / second;

const steady: readonly Bound[] = [
  {
    name: 'fixed-window',
    rule: { algorithm: 'fixed_window', limit: perSecond, windowMs: second },
    most: (start, end) => perSecond * touched(start, end),
    least: (start, end) => perSecond * within(start, end),
  },
  {
    name: 'sliding-window',
    // What a machine that stalls for a moment asks for too late is the less, the longer the window.
    rule: { algorithm: 'sliding_window', limit: 10 * perSecond, windowMs: 10 * second },
    most: (start, end) => 10 * perSecond * Math.ceil(seconds(start, end) / 10),
    least: (start, end) => perSecond * seconds(start, end),
  },
  ...['token', 'leaky'].map((kind) => ({
    name: `${kind}-bucket`,
    rule: { algorithm: `${kind}_bucket`, limit: perSecond, windowMs: second, burst },
    most: (start: number, end: number) => burst + perSecond * seconds(start, end),
    least: (start: number, end: number) => burst + perSecond * seconds(start, end),
  })),
];

const atOnce: readonly (readonly [name: string, rule: object])[] = [
  ['fixed-window', { algorithm: 'fixed_window', limit, windowMs: hour }],
  ['sliding-window', { algorithm: 'sliding_window', limit, windowMs: hour }],
  ['token-bucket', { algorithm: 'token_bucket', limit: 1, windowMs: hour, burst: limit }],
  ['leaky-bucket', { algorithm: 'leaky_bucket', limit: 1, windowMs: hour, burst: limit }],
];

const roles = { user: 100, vip: 300, internal: 500 } as const;

/** The gateways, and what is asked of them. */
export class SharedGateways {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'heddle-limits-'));
  #gateways: readonly RunningGateway[] = [];
  #upstream: HttpServer | undefined;
  #inFlight = 0;
  #mostInFlight = 0;

  static async open(runtime: Runtime, redis: Place): Promise<SharedGateways> {
    const shared = new SharedGateways();
    shared.#upstream = await serve(
      async (_req, call) => {
        shared.#inFlight += 1;
        shared.#mostInFlight = Math.max(shared.#mostInFlight, shared.#inFlight);
        await sleep(runtime.timers, workMs, call);
        shared.#inFlight -= 1;
        return jsonAnswer(200, {});
      },
      { runtime, address: { host: '127.0.0.1', port: 0 } },
    );
    const file = path.join(shared.#folder, 'gateway.json');
    writeFileSync(file, shared.#document(redis));
    const start = (): Promise<RunningGateway> =>
      startGateway(['--config', file, '--port', '0', '--workers', '1']);
    shared.#gateways = await Promise.all(Array.from({ length: processes }, start));
    return shared;
  }

  async close(): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway.stop()));
    await this.#upstream?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  cases(isShort: boolean): { readonly name: string; readonly run: () => Promise<void> }[] {
    const many = isShort ? 1600 : 200_000;
    const bursts = atOnce.map(([name]) => ({
      name: `${name}: ${many} requests over ${processes} gateways at once, exactly ${limit} admitted`,
      run: () => this.#burst(`/hour/${name}`, many),
    }));
    const runs = steady.map((bound) => ({
      name: `${bound.name}: ${many} requests over ${processes} gateways, never over the bound and at least 97 % of it`,
      run: () => this.#steady(bound, many),
    }));
    return [
      ...bursts,
      // Whether requests come often enough is a question of the machine: asked only where it has nothing else to do.
      ...(isShort ? [] : runs),
      {
        name: `concurrency: never more than ${atATime} at a time over ${processes} gateways`,
        run: () => this.#concurrency(isShort ? 400 : 20_000),
      },
      { name: 'tiers by role: user 100, vip 300, internal 500', run: () => this.#tiers() },
    ];
  }

  #document(redis: Place): string {
    const hourly = atOnce.map(([name, rule]) => limited(`/hour/${name}`, rule));
    const steadily = steady.map(({ name, rule }) => limited(`/second/${name}`, rule));
    const upstream = `static:///127.0.0.1:${this.#upstream?.address.port}`;
    const limits = [{ name: 'all', key: ['route'], rule: { algorithm: 'concurrency', limit: atATime } }];
    const keys = Object.keys(roles).map((role) => ({
      id: role,
      sha256: createHash('sha256').update(`key-of-${role}`).digest('hex'),
      roles: [role],
    }));
    const rule = (many: number): object => ({ algorithm: 'fixed_window', limit: many, windowMs: hour });
    const tiers = { vip: rule(roles.vip), internal: rule(roles.internal) };
    return JSON.stringify({
      rateLimitStore: { redis: `redis://${redis.host}:${redis.port}`, timeoutMs: 10_000 },
      auth: { apiKeys: { header: 'x-api-key', keys } },
      routes: [
        ...hourly,
        ...steadily,
        { path: '/work', upstream, timeoutMs: 60_000, rateLimit: limits },
        {
          path: '/tiers',
          respond: { status: 200 },
          auth: { any: ['apiKey'] },
          rateLimit: [{ name: 'tier', key: ['user'], rule: rule(roles.user), tiers }],
        },
      ],
    });
  }

  #urls(target: string): string[] {
    return this.#gateways.map(({ url }) => `${url}${target}`);
  }

  async #burst(target: string, many: number): Promise<void> {
    const { answers } = await countedLoads(this.#urls(target), many / processes, 8);
    assert.equal(answers[2], limit, 'admitted');
    assert.equal(answers[4], many - limit, 'refused');
    await this.#neverAlone();
  }

  async #steady({ name, most, least }: Bound, many: number): Promise<void> {
    const start = Date.now();
    const { answers }: CountedLoad = await countedLoads(this.#urls(`/second/${name}`), many / processes, 8);
    const end = Date.now();
    const text = `${answers[2]} admitted in ${end - start} ms; at most ${most(start, end)}, 97 % are ${0.97 * least(start, end)}`;
    process.stderr.write(`${name}: ${text}\n`);
    assert.ok(answers[2] <= most(start, end), text);
    assert.ok(answers[2] >= 0.97 * least(start, end), text);
    assert.equal(answers[2] + answers[4], many);
    await this.#neverAlone();
  }

  async #concurrency(many: number): Promise<void> {
    this.#mostInFlight = 0;
    const { answers } = await countedLoads(this.#urls('/work'), many / processes, 8);
    assert.equal(this.#mostInFlight, atATime, 'the most at a time');
    assert.equal(answers[2] + answers[4], many);
    // All have been given back.
    const again = await fetch(`${this.#gateways[0]?.url}/work`);
    assert.equal(again.status, 200);
    await this.#neverAlone();
  }

  async #tiers(): Promise<void> {
    for (const [role, many] of Object.entries(roles)) {
      const statuses = await Promise.all(
        Array.from({ length: many + 20 }, async (_, at) => {
          const url = this.#gateways[at % processes]?.url;
          const answer = await fetch(`${url}/tiers`, { headers: { 'x-api-key': `key-of-${role}` } });
          await answer.arrayBuffer();
          return answer.status;
        }),
      );
      assert.equal(statuses.filter((status) => status === 200).length, many, role);
      assert.equal(statuses.filter((status) => status === 429).length, 20, role);
    }
  }

  /** A gateway that had decided alone would make every count above worth nothing. */
  async #neverAlone(): Promise<void> {
    for (const { admin } of this.#gateways) {
      const text = await (await fetch(`${admin}/metrics`)).text();
      assert.doesNotMatch(text, /^gateway_rate_limit_store_failures_total\{/m);
    }
  }
}

function limited(target: string, rule: object): object {
  return { path: target, respond: { status: 200 }, rateLimit: [{ name: 'all', key: ['route'], rule }] };
}
