// Our adapters beside the raw clients of their engines, at the same durability, on the same server.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import { natsEngine } from '@heddle/messaging/nats';
import { redisEngine } from '@heddle/messaging/redis';
import type { Place } from '../../scripts/engines/engine.ts';
import { runtime } from './databases.ts';
import { brokerOn, publishing } from './ours.ts';
import { order } from './raw-sql.ts';
import { type Contender, perSecond } from './rounds.ts';

const bytes = Buffer.from(order);

/** An engine of ours and the raw client of its server. */
export interface EnginePair {
  readonly subject: string;
  readonly peer: string;
  contenders(size: number): readonly [Contender, Contender];
}

/** Redis Streams: XADD, pipelined in batches. */
export function redisPair(redis: Place): EnginePair {
  const subject = 'heddle on redis';
  const raw = (size: number): Contender => ({
    name: 'redis-raw',
    open: async () => {
      const client = new Redis({ ...redis });
      const publish = async (): Promise<void> => {
        const pipeline = client.pipeline();
        for (let at = 0; at < size; at += 1) pipeline.xadd('raw', '*', 'p', bytes);
        await pipeline.exec();
      };
      return { turn: (ms) => perSecond(ms, size, publish), close: async () => client.disconnect() };
    },
  });
  const ours = (size: number): Contender =>
    publishing(subject, size, async () => {
      const bus = await brokerOn(await redisEngine({ runtime, redis, prefix: `bench${size}` }));
      return { bus, close: () => bus.close() };
    });
  return { subject, peer: 'redis-raw', contenders: (size) => [ours(size), raw(size)] };
}

/** NATS JetStream: publishes, so many in flight. */
export function natsPair({ host, port }: Place): EnginePair {
  const subject = 'heddle on nats';
  const servers = `${host}:${port}`;
  const raw = (size: number): Contender => ({
    name: 'nats-raw',
    open: async () => {
      const connection = await connect({ servers });
      const manager = await jetstreamManager(connection);
      await manager.streams.add({ name: `raw${size}`, subjects: [`raw${size}`] });
      const client = jetstream(connection);
      const publish = (): Promise<unknown> =>
        Promise.all(Array.from({ length: size }, () => client.publish(`raw${size}`, bytes)));
      return { turn: (ms) => perSecond(ms, size, publish), close: () => connection.close() };
    },
  });
  const ours = (size: number): Contender =>
    publishing(subject, size, async () => {
      const bus = await brokerOn(await natsEngine({ runtime, nats: { servers }, prefix: `bench${size}` }));
      return { bus, close: () => bus.close() };
    });
  return { subject, peer: 'nats-raw', contenders: (size) => [ours(size), raw(size)] };
}
