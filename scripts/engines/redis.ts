import { mkdirSync } from 'node:fs';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { exchange } from './exchange.ts';
import { freePlace, startServer } from './running.ts';

/** How to start Redis. */
export interface RedisOptions {
  /** Default: a free port on IPv4 loopback. */
  readonly address?: Place;
  /** Where it keeps its data, which is then not removed. Default: a folder of its own. */
  readonly folder?: string;
  /** When what is written goes to the disk. Default `always`: before it is acknowledged. */
  readonly appendfsync?: 'always' | 'everysec';
}

const program: AptProgram = {
  package: 'redis-server',
  program: 'redis-server',
  versionArgs: ['--version'],
  version: /v=([\d.]+)/,
};

/** A single Redis that keeps an append-only file. */
export const redis: Engine<RedisOptions> = {
  name: 'redis',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: async () => {
    const running = await redis.start({});
    try {
      if (!(await answersPing(running.address))) throw new Error('expected PONG');
    } finally {
      await running.stop();
    }
  },
  start: async ({ address, folder, appendfsync = 'always' }) => {
    const { path: command } = await required(redis);
    const place = address ?? (await freePlace());
    const data = folder ?? dataFolder('redis');
    mkdirSync(data, { recursive: true });
    const settings = {
      bind: place.host,
      port: place.port,
      dir: data,
      appendonly: 'yes',
      appendfsync,
      save: '',
      'enable-debug-command': 'no',
    };
    return startServer({
      name: 'redis',
      command,
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
      address: place,
      // It listens before it has read its file.
      ready: () => answersPing(place),
      timeoutMs: 30_000,
      ...(folder === undefined && { folder: data }),
    });
  },
};

async function answersPing(place: Place): Promise<boolean> {
  return (await exchange(place, 'PING\r\n')).startsWith('+PONG');
}
