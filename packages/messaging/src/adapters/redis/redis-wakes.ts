import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Redis } from 'ioredis';
import { type RedisConnection, redisClient, type RedisPlace } from './redis-connection.ts';
import { upkeep } from './scripts.ts';

interface Followed {
  readonly listeners: Map<string, Set<() => void>>;
  timer: Timer | undefined;
}

/**
 * Wake-ups by publish/subscribe, on a connection of their own, and the upkeep of the topics that are followed here. What
 * is missed while that connection is down costs the time until the next look.
 */
export class RedisWakes {
  readonly #runtime: Runtime;
  readonly #redis: RedisConnection;
  readonly #subscriber: Redis;
  readonly #pollMs: number;
  readonly #followed = new Map<string, Followed>();
  #closed = false;

  constructor(runtime: Runtime, redis: RedisConnection, options: RedisPlace, pollMs: number) {
    this.#runtime = runtime;
    this.#redis = redis;
    this.#pollMs = pollMs;
    this.#subscriber = redisClient(options);
    this.#subscriber.on('error', () => {});
    this.#subscriber.on('message', (channel, text) => this.#heard(channel, text));
    this.#subscriber.on('ready', () => this.#subscribeAll());
  }

  on(topic: string, name: string, listener: () => void): () => void {
    const { listeners } = this.follow(topic);
    const own = listeners.get(name) ?? new Set();
    listeners.set(name, own.add(listener));
    return () => {
      own.delete(listener);
      if (own.size === 0 && listeners.get(name) === own) listeners.delete(name);
    };
  }

  /** Hears of the topic from now on, and keeps it up. */
  follow(topic: string): Followed {
    const known = this.#followed.get(topic);
    if (known !== undefined) return known;
    const followed: Followed = { listeners: new Map(), timer: undefined };
    this.#followed.set(topic, followed);
    this.#subscribeAll();
    this.#keepUp(topic, followed, this.#pollMs);
    return followed;
  }

  /** Something has been put there for later. */
  delayed(topic: string): void {
    const followed = this.follow(topic);
    followed.timer?.cancel();
    this.#keepUp(topic, followed, 0);
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#followed.values()) timer?.cancel();
    this.#subscriber.disconnect();
  }

  #subscribeAll(): void {
    const channels = [...this.#followed.keys()].map((topic) => `${this.#redis.key(topic)}:wake`);
    if (channels.length === 0 || this.#subscriber.status !== 'ready') return;
    this.#subscriber.subscribe(...channels).then(
      () => {
        // What was said before that is known by a look.
        for (const topic of this.#followed.keys()) this.#wake(topic, 'm');
      },
      () => {},
    );
  }

  #heard(channel: string, text: string): void {
    const topic = /\{(.*)\}:wake$/.exec(channel)?.[1];
    if (topic !== undefined) this.#wake(topic, text);
  }

  #wake(topic: string, name: string): void {
    for (const listener of this.#followed.get(topic)?.listeners.get(name) ?? []) listener();
  }

  #keepUp(topic: string, followed: Followed, delayMs: number): void {
    if (this.#closed) return;
    followed.timer = this.#runtime.timers.after(delayMs, () => {
      void this.#keepUpNow(topic, followed);
    });
  }

  async #keepUpNow(topic: string, followed: Followed): Promise<void> {
    let waitMs = this.#pollMs * (0.8 + 0.4 * this.#runtime.random.float());
    try {
      const dueMs = Number(await this.#redis.run(upkeep, topic, []));
      // By the server's clock, which need not be ours: a look too early is only a look.
      if (dueMs >= 0) waitMs = Math.max(1, Math.min(waitMs, dueMs - this.#runtime.clock.wallMs()));
    } catch (thrown) {
      if (HeddleError.from(thrown).reason === 'NO_TOPIC') {
        this.#followed.delete(topic);
        return;
      }
    }
    this.#keepUp(topic, followed, waitMs);
  }
}
