import { natsEngine } from '@heddle/messaging/nats';
import { nats } from '../../engines/nats.ts';
import { cutLine } from './cut-line.ts';
import { MortalServer } from './server-stage.ts';
import { stageOf } from './stage.ts';
import { messagingContract } from './suite.ts';
import type { Contract } from '../result.ts';

// Long beside the pauses of a busy machine: a lease that lapses has its messages done twice, as it should.
const leaseMs = 10_000;
const server = new MortalServer(nats, {});

/** NATS JetStream, as it syncs by default. */
export const natsMessaging: Contract = messagingContract({
  backend: 'nats',
  faults: ['kill', 'restart'],
  prepare: () => server.start(),
  stage: async () => {
    const prefix = server.stageName();
    return stageOf(leaseMs, server.faults, async (runtime) => {
      const line = await cutLine(server.address);
      const engine = await natsEngine({
        runtime,
        nats: { servers: `${line.address.host}:${line.address.port}` },
        prefix,
        leaseMs,
        pollMs: 250,
      });
      return { engine, cut: () => line.cut() };
    });
  },
  end: () => server.stop(),
});
