import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { exchange } from './exchange.ts';
import { freePlace, freePort, startServer } from './running.ts';

/** How to start Redis. */
export interface RedisOptions {
  /** Default: a free port on IPv4 loopback. */
  readonly address?: Place;
  /** Where it keeps its data, which is then not removed. Default: a folder of its own. */
  readonly folder?: string;
  /** When what is written goes to the disk. Default `always`: before it is acknowledged. */
  readonly appendfsync?: 'always' | 'everysec';
  /** As a cluster of one that has all slots: commands over several slots are refused. Default false. */
  readonly cluster?: boolean;
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
  start: async ({ address, folder, appendfsync = 'always', cluster = false }) => {
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
      // Its bus has a port of its own, by default ours and 10000.
      ...(cluster && { 'cluster-enabled': 'yes', 'cluster-port': await freePort() }),
    };
    const running = await startServer({
      name: 'redis',
      command,
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
      address: place,
      // It listens before it has read its file.
      ready: () => answersPing(place),
      timeoutMs: 30_000,
      ...(folder === undefined && { folder: data }),
    });
    if (cluster) await formCluster(place);
    return running;
  },
};

/** Takes all slots; a cluster takes some seconds to believe that it is whole. */
async function formCluster(place: Place): Promise<void> {
  await exchange(place, 'CLUSTER ADDSLOTSRANGE 0 16383\r\n');
  const giveUpAt = performance.now() + 30_000;
  while (!(await exchange(place, 'CLUSTER INFO\r\n')).includes('cluster_state:ok')) {
    if (performance.now() > giveUpAt) throw new Error('the cluster of Redis is not whole after 30 s');
    await delay(50);
  }
}

async function answersPing(place: Place): Promise<boolean> {
  return (await exchange(place, 'PING\r\n')).startsWith('+PONG');
}
