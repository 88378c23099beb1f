import { HeddleError, type Runtime } from '@heddle/kernel';
import { broker, type Broker, type Engine } from '@heddle/messaging';
import { sqlPool } from '@heddle/sql';
import { type Given, usageError } from '../command.ts';

/** A broker, and the engine that it is on. */
export interface OpenBroker {
  readonly bus: Broker;
  readonly engine: Engine;
  close(): Promise<void>;
}

/** The broker that a command is to work with. A usage error if none is named. */
export async function openBroker(given: Given, runtime: Runtime): Promise<OpenBroker> {
  const text = given.text('broker') ?? process.env['HEDDLE_BROKER_URL'] ?? process.env['HEDDLE_DATABASE_URL'];
  if (text === undefined) throw usageError('expected --broker, or a URL in HEDDLE_BROKER_URL');
  return openBrokerAt(text, runtime);
}

/** As `openBroker`, at a URL. */
export async function openBrokerAt(text: string, runtime: Runtime): Promise<OpenBroker> {
  const opened = await engineAt(text, runtime);
  const bus = broker(opened.engine, { runtime, source: 'heddle' });
  return {
    bus,
    engine: opened.engine,
    close: async () => {
      await bus.close();
      await opened.close();
    },
  };
}

type Opened = Pick<OpenBroker, 'engine' | 'close'>;

async function engineAt(text: string, runtime: Runtime): Promise<Opened> {
  // Several servers are named as `kafka://a:9092,b:9092`, which is no URL.
  if (text.startsWith('kafka://')) return ending(await onKafka(text.slice('kafka://'.length), runtime));
  const url = readUrl(text);
  switch (url.protocol) {
    case 'postgres:':
    case 'postgresql:':
      return onPostgres(text, runtime);
    case 'redis:':
    case 'rediss:':
      return ending(await onRedis(url, runtime));
    case 'nats:':
    case 'tls:':
      return ending(await onNats(text, url, runtime));
    case 'amqp:':
    case 'amqps:':
      return ending(await onRabbit(url, runtime));
    default:
      throw usageError(
        `--broker expects postgres://, nats://, redis://, kafka:// or amqp://, found ${url.protocol}//`,
      );
  }
}

// Their clients are installed by whoever uses them: each is loaded when it is asked for.

async function onPostgres(url: string, runtime: Runtime): Promise<Opened> {
  const { postgresEngine } = await import('@heddle/messaging/postgres');
  const pool = sqlPool(url, { runtime, name: 'heddle command', maxConnections: 4 });
  try {
    return { engine: await postgresEngine({ runtime, pool, url }), close: async () => pool.stop?.() };
  } catch (thrown) {
    await pool.stop?.();
    throw thrown;
  }
}

async function onRedis(url: URL, runtime: Runtime): Promise<Engine> {
  const { redisEngine } = await import('@heddle/messaging/redis');
  const redis = {
    ...placeOf(url, 6379),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.pathname.length > 1 && { db: Number(url.pathname.slice(1)) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
  return redisEngine({ runtime, redis });
}

async function onNats(text: string, url: URL, runtime: Runtime): Promise<Engine> {
  const { natsEngine } = await import('@heddle/messaging/nats');
  const { host, port } = placeOf(url, 4222);
  const nats = {
    servers: `${text.startsWith('tls:') ? 'tls://' : ''}${host}:${port}`,
    ...(url.username !== '' && { user: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { pass: decodeURIComponent(url.password) }),
  };
  return natsEngine({ runtime, nats });
}

async function onRabbit(url: URL, runtime: Runtime): Promise<Engine> {
  if (url.username === '' || url.password === '')
    throw usageError('--broker amqp:// needs a user and a password: amqp://user:password@host');
  const { rabbitEngine } = await import('@heddle/messaging/rabbitmq');
  const tls = url.protocol === 'amqps:';
  const rabbitmq = {
    ...placeOf(url, tls ? 5671 : 5672),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ...(url.pathname.length > 1 && { vhost: decodeURIComponent(url.pathname.slice(1)) }),
    ...(tls && { tls: {} }),
  };
  return rabbitEngine({ runtime, rabbitmq });
}

async function onKafka(servers: string, runtime: Runtime): Promise<Engine> {
  const { kafkaEngine } = await import('@heddle/messaging/kafka');
  return kafkaEngine({ runtime, kafka: { brokers: servers.replace(/\/$/, '').split(',') } });
}

function ending(engine: Engine): Opened {
  return { engine, close: async () => {} };
}

function placeOf({ hostname, port }: URL, standard: number): { host: string; port: number } {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? standard : Number(port) };
}

/** Without the cause: it quotes the URL, and with it the secret. */
function readUrl(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new HeddleError({
    code: 'invalid_argument',
    reason: 'USAGE',
    message: '--broker expects a URL such as postgres://user:secret@host/name; the given one cannot be read',
    sent: false,
  });
}
