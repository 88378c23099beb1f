import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type MortalRuntime, mortalRuntime } from '@heddle/kernel/testing';
import type { Broker } from '../../broker.ts';
import { broker } from '../../bus/engine-broker.ts';
import { brokerContract } from '../../testing/broker-contract.ts';
import { memoryEngine } from './memory-engine.ts';
import { MemoryLog } from './memory-log.ts';

const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
const leaseMs = 600;

brokerContract('memory', async () => {
  const log = new MemoryLog(runtime);
  const lives = new Map<Broker, MortalRuntime>();
  return {
    runtime,
    leaseMs,
    faults: {},
    open: async () => {
      const life = mortalRuntime(runtime);
      const opened = broker(memoryEngine(life, { log, leaseMs, pollMs: 50 }), {
        runtime: life,
        source: 'test',
      });
      lives.set(opened, life);
      return opened;
    },
    crash: async (dying) => lives.get(dying)?.die(),
    close: async () => {
      const living = [...lives].filter(([, life]) => life.alive).map(([each]) => each);
      await Promise.all(living.map((each) => each.close()));
    },
  };
});
