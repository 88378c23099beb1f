import { rabbitEngine } from '@heddle/messaging/rabbitmq';
import { rabbitMq } from '../../engines/rabbitmq.ts';
import { cutLine } from './cut-line.ts';
import { MortalServer } from './server-stage.ts';
import { stageOf } from './stage.ts';
import { messagingContract } from './suite.ts';
import type { Contract } from '../result.ts';

// Who dies loses its connection, and with it what it had, long before that.
const leaseMs = 10_000;
const server = new MortalServer(rabbitMq, {});

/** RabbitMQ, by its streams. */
export const rabbitMessaging: Contract = messagingContract({
  backend: 'rabbitmq',
  faults: ['kill', 'restart'],
  prepare: () => server.start(),
  stage: async () => {
    const prefix = server.stageName();
    return stageOf(leaseMs, server.faults, async (runtime) => {
      const line = await cutLine(server.address);
      const engine = await rabbitEngine({
        runtime,
        rabbitmq: { ...line.address, username: 'guest', password: 'guest' },
        prefix,
        leaseMs,
        pollMs: 250,
      });
      return { engine, cut: () => line.cut() };
    });
  },
  end: () => server.stop(),
});
