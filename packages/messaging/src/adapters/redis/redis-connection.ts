import { Redis, type RedisOptions } from 'ioredis';
import { noTopic } from '../../topic/topic-error.ts';
import { redisError } from './redis-error.ts';
import { type Script, scripts } from './scripts.ts';

const commandTimeoutMs = 10_000;

/**
 * Commands of one server. Nothing waits for a connection and nothing is sent twice: an error says at once what the engine
 * must know, and whoever wants another try makes it.
 */
export class RedisConnection {
  readonly client: Redis;
  readonly #prefix: string;

  constructor(options: RedisPlace, prefix: string) {
    this.#prefix = prefix;
    const own: RedisPlace = {
      commandTimeout: commandTimeoutMs,
      scripts: Object.fromEntries(scripts.map(({ name, lua }) => [name, { lua, numberOfKeys: 1 }])),
    };
    this.client = redisClient(options, own);
    // Each command that fails says so; the client's own word on it is no news.
    this.client.on('error', () => {});
  }

  /** The first key of a topic. */
  key(topic: string): string {
    return `${this.#prefix}:{${topic}}`;
  }

  /** The set of names of topics. */
  get topicsKey(): string {
    return `${this.#prefix}:topics`;
  }

  /** Runs a script on a topic. Rejects with `NO_TOPIC` if the script says so. */
  async run(script: Script, topic: string, args: readonly (string | number | Buffer)[]): Promise<unknown> {
    const commands = this.client as unknown as Record<string, (...all: unknown[]) => Promise<unknown>>;
    try {
      return await commands[script.name]?.call(this.client, this.key(topic), ...args);
    } catch (thrown) {
      if (thrown instanceof Error && /\bNOTOPIC\b/.test(thrown.message)) throw noTopic(topic);
      throw redisError(thrown);
    }
  }

  /** Any other command. */
  async do<T>(command: (client: Redis) => Promise<T>): Promise<T> {
    try {
      return await command(this.client);
    } catch (thrown) {
      throw redisError(thrown);
    }
  }

  close(): void {
    this.client.disconnect();
  }
}

const settings: RedisPlace = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 5000,
  retryStrategy: (times) => Math.min(1000, 50 * 2 ** Math.min(times, 5)),
};

/** A client of the user's options with ours, which win. */
export function redisClient(options: RedisPlace, own: RedisPlace = {}): Redis {
  return new Redis({ ...options, ...settings, ...own });
}

/** What of ioredis' options is the user's to say; how replies are read is not. */
export type RedisPlace = Omit<RedisOptions, 'replyMapping'>;

/** Resolves when it is connected, or rejects as soon as it cannot be. */
export async function connected(client: Redis): Promise<void> {
  if (client.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('error', (error) => reject(redisError(error)));
  });
}
