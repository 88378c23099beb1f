import { MemoryLog, memoryEngine } from '@heddle/messaging/memory';
import { quietRuntime, stageOf } from './stage.ts';
import { messagingContract } from './suite.ts';
import type { Contract } from '../result.ts';

const leaseMs = 3000;

/** The engine of tests and of the simulator. */
export const memoryMessaging: Contract = messagingContract({
  backend: 'memory',
  faults: [],
  prepare: async () => ({ version: '' }),
  stage: async () => {
    const log = new MemoryLog(quietRuntime);
    return stageOf(leaseMs, {}, async (runtime) => ({
      engine: memoryEngine(runtime, { log, leaseMs, pollMs: 50 }),
      cut: async () => {},
    }));
  },
  end: async () => {},
});
