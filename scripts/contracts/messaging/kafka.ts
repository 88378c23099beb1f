import { kafkaEngine } from '@heddle/messaging/kafka';
import { kafka } from '../../engines/kafka.ts';
import { cutLine } from './cut-line.ts';
import { MortalServer } from './server-stage.ts';
import { stageOf } from './stage.ts';
import { messagingContract } from './suite.ts';
import type { Contract } from '../result.ts';

// Long beside the pauses of a busy machine: a lease that lapses has its messages done twice, as it should.
const leaseMs = 10_000;
const server = new MortalServer(kafka, {});

/** Kafka, one server that is its own controller. */
export const kafkaMessaging: Contract = messagingContract({
  backend: 'kafka',
  faults: ['kill', 'restart'],
  prepare: () => server.start(),
  stage: async () => {
    const prefix = server.stageName();
    return stageOf(leaseMs, server.faults, async (runtime) => {
      const line = await cutLine(server.address);
      const brokers = [`${line.address.host}:${line.address.port}`];
      const place = { brokers, reach: () => line.address };
      const engine = await kafkaEngine({ runtime, kafka: place, prefix, leaseMs, pollMs: 250 });
      return { engine, cut: () => line.cut() };
    });
  },
  end: () => server.stop(),
});
