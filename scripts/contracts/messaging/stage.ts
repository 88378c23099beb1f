// Stages of brokers whose processes can die although they share ours.
import { type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type MortalRuntime, mortalRuntime } from '@heddle/kernel/testing';
import { broker, type Broker, type Engine } from '@heddle/messaging';
import type { BrokerFaults, BrokerStage } from '@heddle/messaging/testing';

/** A runtime that says nothing. */
export const quietRuntime: Runtime = { ...nodeRuntime({ name: 'contracts' }), log: () => {} };

/** An engine of one process, and how its connections end when that process dies. */
export interface OpenedEngine {
  readonly engine: Engine;
  /** Cuts every connection as the death of the process does. Also called after a close. */
  readonly cut: () => Promise<void>;
}

/** A stage on which each broker has a process of its own, as far as the engine can tell. */
export function stageOf(
  leaseMs: number,
  faults: BrokerFaults,
  openEngine: (runtime: Runtime) => Promise<OpenedEngine>,
  end: () => Promise<void> = async () => {},
): BrokerStage {
  const opened = new Map<Broker, OpenedEngine & { readonly life: MortalRuntime }>();
  return {
    runtime: quietRuntime,
    leaseMs,
    faults,
    open: async () => {
      const life = mortalRuntime(quietRuntime);
      const { engine, cut } = await openEngine(life);
      const bus = broker(engine, { runtime: life, source: 'contracts' });
      opened.set(bus, { life, engine, cut });
      return bus;
    },
    crash: async (bus) => {
      const process = opened.get(bus);
      process?.life.die();
      await process?.cut();
    },
    close: async () => {
      for (const [bus, { life, engine, cut }] of opened) {
        // What a dead process leaves behind in ours is let go, as far as that can be done.
        await (life.alive ? bus.close() : Promise.race([engine.close(), sleep(quietRuntime.timers, 2000)]));
        await cut();
      }
      await end();
    },
  };
}
