import { redisEngine } from '@heddle/messaging/redis';
import { redis } from '../../engines/redis.ts';
import { cutLine } from './cut-line.ts';
import { MortalServer } from './server-stage.ts';
import { stageOf } from './stage.ts';
import { messagingContract } from './suite.ts';
import type { Contract } from '../result.ts';

// Long beside the pauses of a busy machine: a lease that lapses has its messages done twice, as it should.
const leaseMs = 10_000;
const server = new MortalServer(redis, { appendfsync: 'always' as const });

/** Redis Streams, with every write on the disk before it is acknowledged. */
export const redisMessaging: Contract = messagingContract({
  backend: 'redis',
  faults: ['kill', 'restart'],
  prepare: () => server.start(),
  stage: async () => {
    const prefix = server.stageName();
    return stageOf(leaseMs, server.faults, async (runtime) => {
      const line = await cutLine(server.address);
      const engine = await redisEngine({ runtime, redis: line.address, prefix, leaseMs, pollMs: 250 });
      return { engine, cut: () => line.cut() };
    });
  },
  end: () => server.stop(),
});
