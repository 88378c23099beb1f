import { type Clock, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { Redis, type RedisOptions } from 'ioredis';
import { checkOptions, durationMs, present } from '../../options/check-options.ts';
import type { RateDecision, RateRule } from '../rate-rule.ts';
import type { RateAsk, RateStore, RateVerdict } from '../rate-store.ts';
import { renewScript, takeScript } from './take-script.ts';

/** Where Redis is, and who we are there; of ioredis' options what is the user's to say. */
export type RedisPlace = Omit<RedisOptions, 'replyMapping'>;

/** What a `RedisRateStore` needs to know. */
export interface RedisRateStoreOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'random'>;
  readonly redis: RedisPlace;
  /** Before every key. Gateways that share limits have the same. Default `heddle:rate:`. */
  readonly prefix?: string;
  /** A place of a `concurrency` rule lapses so long after its holder has died. Default 30000. */
  readonly leaseMs?: number;
  /** How long an answer may take. After one that came too late nobody is made to wait for a second. Default 250. */
  readonly timeoutMs?: number;
  /** Whose time counts instead of the server's. For tests: gateways have no clock in common. */
  readonly clock?: Pick<Clock, 'nowMs'>;
}

interface Held {
  readonly key: string;
  readonly ids: readonly string[];
}

interface Commands {
  heddleTake(keys: number, ...all: (string | number)[]): Promise<string[]>;
  heddleRenew(key: string, ...all: (string | number)[]): Promise<unknown>;
}

// Nothing waits for a connection and nothing is sent twice: who is asked for a decision has no time for either.
const settings: RedisPlace = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2000,
  enableAutoPipelining: true,
  retryStrategy: (times) => Math.min(1000, 50 * 2 ** Math.min(times, 5)),
};

/** A server that hangs would otherwise make every caller wait. */
const restMs = 1000;

/**
 * Rate limits that several processes share, on one Redis or on a cluster of them. A decision is one script, by the
 * server's time: it is exact whoever asks. Keys lapse by themselves. Rejects with `unavailable` / `RATE_STORE_FAILED`
 * where Redis cannot be asked; it goes on by itself when Redis is back.
 */
export class RedisRateStore implements RateStore {
  readonly #client: Redis;
  readonly #commands: Commands;
  readonly #prefix: string;
  readonly #leaseMs: number;
  readonly #runtime: Pick<Runtime, 'clock' | 'timers' | 'random'>;
  /** The first attempt to connect: calls wait for it, since a gateway that has just started is no reason to decide alone. */
  #first: Promise<void> | undefined;
  readonly #clock: Pick<Clock, 'nowMs'> | undefined;
  readonly #name: string;
  /** By the very asks that took them, which come back to release them. */
  readonly #taken = new WeakMap<readonly RateAsk[], Held[][]>();
  readonly #held = new Set<Held>();
  #renewal: Timer | undefined;
  #count = 0;
  /** Until then it is not asked. */
  #restUntilMs = Number.NEGATIVE_INFINITY;

  /** Connects by itself. Throws `BAD_OPTIONS`. */
  constructor(options: RedisRateStoreOptions) {
    checkOptions('Redis rate store', options, {
      runtime: present,
      redis: present,
      prefix: present,
      leaseMs: durationMs,
      timeoutMs: durationMs,
      clock: present,
    });
    this.#runtime = options.runtime;
    this.#prefix = options.prefix ?? 'heddle:rate:';
    this.#leaseMs = options.leaseMs ?? 30_000;
    this.#clock = options.clock;
    this.#name = options.runtime.random.uuid();
    const scripts = {
      heddleTake: { lua: takeScript },
      heddleRenew: { lua: renewScript, numberOfKeys: 1 },
    };
    this.#client = new Redis({
      ...options.redis,
      ...settings,
      scripts,
      commandTimeout: options.timeoutMs ?? 250,
    });
    this.#commands = this.#client as unknown as Commands;
    // Each command that fails says so; the client's own word on it is no news.
    this.#client.on('error', () => {});
    this.#first = this.connect().finally(() => {
      this.#first = undefined;
    });
    this.#first.catch(() => undefined);
  }

  /** True while there is a connection. */
  get connected(): boolean {
    return this.#client.status === 'ready';
  }

  /** Resolves when there is a connection for the first time, or rejects at the first failure to make one. */
  async connect(): Promise<void> {
    if (this.connected) return;
    await new Promise<void>((resolve, reject) => {
      this.#client.once('ready', resolve);
      this.#client.once('error', (error) => reject(failed(error)));
    });
  }

  async take(asks: readonly RateAsk[]): Promise<RateVerdict> {
    if (asks.length === 0) return { admitted: true, decisions: [] };
    const { clock } = this.#runtime;
    if (clock.nowMs() < this.#restUntilMs) throw failed(new Error('it did not answer in time just now'));
    if (this.#first !== undefined) await this.#first;
    const wanted = joined(asks);
    const id = `${this.#name}:${this.#count++}`;
    const keys = wanted.map((ask) => this.#keyOf(ask));
    const args = wanted.flatMap((ask) => argumentsOf(ask, id, this.#leaseMs));
    let answer: string[];
    try {
      answer = await this.#commands.heddleTake(keys.length, ...keys, this.#clock?.nowMs() ?? '', ...args);
    } catch (thrown) {
      if (thrown instanceof Error && /timed out/.test(thrown.message))
        this.#restUntilMs = clock.nowMs() + restMs;
      throw failed(thrown);
    }
    const admitted = answer[0] === '1';
    const decisions = wanted.map(({ rule }, at) => decisionOf(rule, answer, 1 + at * 5));
    if (admitted) this.#hold(asks, wanted, keys, id);
    return {
      admitted,
      decisions: asks.map((ask) => decisions[wanted.findIndex((each) => isSame(each, ask))] as RateDecision),
    };
  }

  async release(asks: readonly RateAsk[]): Promise<void> {
    const held = this.#taken.get(asks)?.pop();
    if (held === undefined) return;
    for (const each of held) this.#held.delete(each);
    if (this.#held.size === 0) {
      this.#renewal?.cancel();
      this.#renewal = undefined;
    }
    try {
      await Promise.all(held.map(({ key, ids }) => this.#client.zrem(key, ...ids)));
    } catch (thrown) {
      throw failed(thrown);
    }
  }

  /** Drops the connection; what is held lapses. */
  close(): void {
    this.#renewal?.cancel();
    this.#client.disconnect();
  }

  /** All of one group in one slot of a cluster, as a script needs it; a rule with another window starts anew. */
  #keyOf({ key, rule, group }: RateAsk): string {
    const window = 'windowMs' in rule && rule.algorithm.endsWith('window') ? String(rule.windowMs) : '';
    return `${this.#prefix}{${(group ?? '').replaceAll('}', ')') || 'all'}}${rule.algorithm}:${window}:${key}`;
  }

  #hold(asks: readonly RateAsk[], wanted: readonly RateAsk[], keys: readonly string[], id: string): void {
    const held = wanted.flatMap(({ rule, cost }, at): Held[] => {
      if (rule.algorithm !== 'concurrency') return [];
      return [{ key: keys[at] as string, ids: Array.from({ length: cost }, (_, n) => `${id}:${n + 1}`) }];
    });
    if (held.length === 0) return;
    const known = this.#taken.get(asks);
    if (known === undefined) this.#taken.set(asks, [held]);
    else known.push(held);
    for (const each of held) this.#held.add(each);
    this.#renewal ??= this.#runtime.timers.after(this.#leaseMs / 3, () => this.#renew());
  }

  /** A call may last longer than a lease. What cannot be prolonged now may be in a third of it. */
  #renew(): void {
    const byKey = new Map<string, string[]>();
    for (const { key, ids } of this.#held) byKey.set(key, [...(byKey.get(key) ?? []), ...ids]);
    for (const [key, ids] of byKey)
      void this.#commands.heddleRenew(key, this.#leaseMs, ...ids).catch(() => undefined);
    this.#renewal = this.#runtime.timers.after(this.#leaseMs / 3, () => this.#renew());
  }
}

/** Two asks of one call under one key are one of both costs: a script sees each key once. */
function joined(asks: readonly RateAsk[]): readonly RateAsk[] {
  if (asks.length === 1) return asks;
  const wanted: RateAsk[] = [];
  for (const ask of asks) {
    const at = wanted.findIndex((each) => isSame(each, ask));
    const known = wanted[at];
    if (known === undefined) wanted.push(ask);
    else wanted[at] = { ...known, cost: known.cost + ask.cost };
  }
  return wanted;
}

function isSame(a: RateAsk, b: RateAsk): boolean {
  return a.key === b.key && a.rule.algorithm === b.rule.algorithm;
}

/** As `argumentsOfAsk` names them. */
function argumentsOf({ rule, cost }: RateAsk, id: string, leaseMs: number): (string | number)[] {
  const windowMs = rule.algorithm === 'concurrency' ? 0 : rule.windowMs;
  const usualBurst = rule.algorithm === 'token_bucket' ? rule.limit : 1;
  const burst = 'burst' in rule ? (rule.burst ?? usualBurst) : usualBurst;
  const maxDelayMs = rule.algorithm === 'leaky_bucket' ? (rule.maxDelayMs ?? 0) : 0;
  return [rule.algorithm, rule.limit, windowMs, burst, maxDelayMs, cost, id, leaseMs];
}

/** Reads a decision from the script's answer. */
function decisionOf(rule: RateRule, answer: readonly string[], at: number): RateDecision {
  const number = (offset: number): number => Number(answer[at + offset]);
  const time = (offset: number): number =>
    number(offset) === -1 ? Number.POSITIVE_INFINITY : number(offset);
  return {
    admitted: answer[at] === '1',
    limit: rule.limit,
    remaining: number(1),
    retryAfterMs: time(2),
    resetMs: time(3),
    delayMs: number(4),
  };
}

function failed(thrown: unknown): HeddleError {
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const message = `the rate limit's Redis cannot be asked: ${cause.message}`;
  return new HeddleError({ code: 'unavailable', reason: 'RATE_STORE_FAILED', message, sent: false, cause });
}
