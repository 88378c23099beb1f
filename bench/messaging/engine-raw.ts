// Our adapters beside the raw clients of their engines, at the same durability, on the same server.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ProduceAcks, Producer } from '@platformatic/kafka';
import * as amqp from 'amqplib';
import { Redis } from 'ioredis';
import { kafkaEngine } from '@heddle/messaging/kafka';
import { natsEngine } from '@heddle/messaging/nats';
import { rabbitEngine } from '@heddle/messaging/rabbitmq';
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

/** Kafka: batches to four partitions, confirmed by all copies. */
export function kafkaPair({ host, port }: Place): EnginePair {
  const subject = 'heddle on kafka';
  const brokers = [`${host}:${port}`];
  const raw = (size: number): Contender => ({
    name: 'kafka-raw',
    open: async () => {
      // The topic with its four partitions is one that the adapter has made.
      const bus = await brokerOn(await kafkaEngine({ runtime, kafka: { brokers }, prefix: `raw${size}` }));
      await bus.close();
      const producer = new Producer({ clientId: 'raw', bootstrapBrokers: brokers, acks: ProduceAcks.ALL });
      let sent = 0;
      const publish = (): Promise<unknown> =>
        producer.send({
          messages: Array.from({ length: size }, () => {
            sent += 1;
            return { topic: `raw${size}.orders`, key: Buffer.from(`k${sent % 97}`), value: bytes };
          }),
        });
      return { turn: (ms) => perSecond(ms, size, publish), close: () => producer.close() };
    },
  });
  const ours = (size: number): Contender =>
    publishing(subject, size, async () => {
      const bus = await brokerOn(await kafkaEngine({ runtime, kafka: { brokers }, prefix: `bench${size}` }));
      return { bus, close: () => bus.close() };
    });
  return { subject, peer: 'kafka-raw', contenders: (size) => [ours(size), raw(size)] };
}

/**
 * RabbitMQ: publishes into four streams on a channel with confirms, so many in flight. Mandatory, since the confirm of what
 * has no queue to go to says nothing.
 */
export function rabbitPair({ host, port }: Place): EnginePair {
  const subject = 'heddle on rabbitmq';
  const place = { host, port, username: 'guest', password: 'guest' };
  const raw = (size: number): Contender => ({
    name: 'rabbitmq-raw',
    open: async () => {
      const connection = await amqp.connect({ hostname: host, port, username: 'guest', password: 'guest' });
      const channel = await connection.createConfirmChannel();
      const streams = Array.from({ length: 4 }, (_, partition) => `raw${size}.${partition}`);
      for (const stream of streams)
        await channel.assertQueue(stream, { durable: true, arguments: { 'x-queue-type': 'stream' } });
      let sent = 0;
      const publish = async (): Promise<void> => {
        for (let at = 0; at < size; at += 1) {
          sent += 1;
          channel.publish('', streams[sent % 4] ?? '', bytes, { persistent: true, mandatory: true });
        }
        await channel.waitForConfirms();
      };
      return { turn: (ms) => perSecond(ms, size, publish), close: () => connection.close() };
    },
  });
  const ours = (size: number): Contender =>
    publishing(subject, size, async () => {
      const engine = await rabbitEngine({ runtime, rabbitmq: place, prefix: `bench${size}` });
      const bus = await brokerOn(engine);
      return { bus, close: () => bus.close() };
    });
  return { subject, peer: 'rabbitmq-raw', contenders: (size) => [ours(size), raw(size)] };
}
