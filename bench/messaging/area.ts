// `npm run bench -- messaging`: publish and consume beside REF, other TypeScript queues, and the raw clients of engines.
import { isMissing, obtain, type Running } from '../../scripts/engines/engine.ts';
import { kafka } from '../../scripts/engines/kafka.ts';
import { nats } from '../../scripts/engines/nats.ts';
import { rabbitMq } from '../../scripts/engines/rabbitmq.ts';
import { redis } from '../../scripts/engines/redis.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { Databases } from './databases.ts';
import { type EnginePair, kafkaPair, natsPair, rabbitPair, redisPair } from './engine-raw.ts';
import { consuming, latency, onPostgres, publishing } from './ours.ts';
import {
  bullMqConsume,
  bullMqLatency,
  bullMqPublish,
  dbosPublish,
  pgBossConsume,
  pgBossPublish,
} from './peers.ts';
import { rawInsert, rawInsertLatency } from './raw-sql.ts';
import { compete, type Contender, type Goals, type Pace, resultsOf } from './rounds.ts';

const full: Pace = { rounds: 9, turnMs: 700 };
const quick: Pace = { rounds: 1, turnMs: 150 };
const ours = 'heddle';

interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly contenders: readonly Contender[];
  readonly goals?: Goals;
  readonly lessIsBetter?: boolean;
  readonly subject?: string;
  /** What its value is to stay below. */
  readonly under?: number;
}

/** Measures everything, or what `only` names. Servers are this bench's own. */
export async function messagingBench({ quick: hasty, only }: BenchOptions): Promise<BenchOutcome> {
  const databases = new Databases();
  const servers: Running[] = [];
  const results: BenchResult[] = [];
  const skipped: SkippedPeer[] = [];
  try {
    await databases.start();
    const stores = await engines(servers, skipped);
    for (const each of measurements(databases, stores)) {
      if (only !== undefined && only !== each.name) continue;
      const { name, unit, contenders, goals, lessIsBetter = false, subject = ours, under } = each;
      process.stderr.write(`${name}: ${contenders.map((contender) => contender.name).join(', ')} …\n`);
      const standing = await compete(contenders, hasty ? quick : full);
      const found = resultsOf(name, unit, subject, standing, goals, lessIsBetter);
      results.push(...found.results.map((result) => below(result, under)));
      skipped.push(...found.skipped);
    }
  } finally {
    for (const server of servers) await server.stop();
    await databases.stop();
  }
  return { results, skipped };
}

function below(result: BenchResult, limit: number | undefined): BenchResult {
  if (limit === undefined) return result;
  return { ...result, goal: `under ${limit} ${result.unit}`, goalMet: result.value < limit };
}

interface Stores {
  readonly redis: Running | undefined;
  readonly nats: Running | undefined;
  readonly kafka: Running | undefined;
  readonly rabbitmq: Running | undefined;
}

async function engines(servers: Running[], skipped: SkippedPeer[]): Promise<Stores> {
  const start = async (engine: Startable): Promise<Running | undefined> => {
    const found = await obtain(engine);
    if (isMissing(found)) {
      skipped.push({ name: 'publish-1', peer: `${engine.name}-raw`, reason: found.missing });
      return undefined;
    }
    const running = await engine.start({});
    servers.push(running);
    return running;
  };
  return {
    redis: await start(redis),
    nats: await start(nats),
    kafka: await start(kafka),
    rabbitmq: await start(rabbitMq),
  };
}

type Startable = typeof redis | typeof nats | typeof kafka | typeof rabbitMq;

function measurements(databases: Databases, stores: Stores): readonly Measurement[] {
  const bull = stores.redis?.address;
  const peers = (make: (place: NonNullable<typeof bull>) => Contender): readonly Contender[] =>
    bull === undefined ? [] : [make(bull)];
  const pairs: readonly EnginePair[] = [
    ...(stores.redis === undefined ? [] : [redisPair(stores.redis.address)]),
    ...(stores.nats === undefined ? [] : [natsPair(stores.nats.address)]),
    ...(stores.kafka === undefined ? [] : [kafkaPair(stores.kafka.address)]),
    ...(stores.rabbitmq === undefined ? [] : [rabbitPair(stores.rabbitmq.address)]),
  ];
  const own = (size: number): Contender => publishing(ours, size, () => onPostgres(databases));
  const unit = 'messages/s';
  return [
    {
      name: 'publish-1',
      unit,
      contenders: [
        own(1),
        rawInsert(databases),
        pgBossPublish(databases, 1),
        ...peers((place) => bullMqPublish(place, 1)),
        dbosPublish(databases),
      ],
    },
    {
      name: 'publish-100',
      unit,
      contenders: [
        own(100),
        rawInsert(databases),
        pgBossPublish(databases, 100),
        ...peers((place) => bullMqPublish(place, 100)),
      ],
      goals: { 'raw-insert': 10 },
    },
    {
      name: 'consume-100-inbox',
      unit,
      contenders: [
        { name: ours, open: () => consuming(databases) },
        rawInsert(databases),
        pgBossConsume(databases),
        ...peers(bullMqConsume),
      ],
      goals: { 'raw-insert': 8, 'pg-boss': 5, bullmq: 5 },
    },
    {
      name: 'publish-to-listener-p50',
      unit: 'ms',
      contenders: [
        { name: ours, open: async () => latency(await onPostgres(databases)) },
        rawInsertLatency(databases),
        ...peers(bullMqLatency),
      ],
      lessIsBetter: true,
      under: 2,
    },
    ...[1, 100].flatMap((size) =>
      pairs.map((pair) => ({
        name: `publish-${size}`,
        unit,
        contenders: pair.contenders(size),
        goals: { [pair.peer]: 0.85 },
        subject: pair.subject,
      })),
    ),
  ];
}
