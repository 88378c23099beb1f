import type { Address, Runtime } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';
import { type MortalRuntime, mortalRuntime } from '@heddle/kernel/testing';
import type { RegistryDoors, RegistryFaults, RegistryStage } from './registry-stage.ts';
import { tcpProxy } from './tcp-proxy.ts';

/** What makes a stage of a server. */
export interface ServerStageOptions {
  readonly runtime: Runtime;
  readonly ttlMs: number;
  /** See `RegistryStage`. */
  readonly seenWithinMs?: number;
  /** Where the server listens. Asked for each connection: a server that was started again may have moved. */
  readonly target: () => Address;
  /** A registry object that reaches the server at `address`, which is that of a proxy. */
  readonly open: (runtime: Runtime, address: Address) => Registry | Promise<Registry>;
  /** What can be done to the server itself; left out where it is shared with other stages. */
  readonly faults?: Pick<RegistryFaults, 'kill' | 'restart' | 'restartEmpty' | 'forgetHistory'>;
  readonly doors?: RegistryDoors;
  /** Ends the server, or takes away what the stage has left on a shared one. */
  readonly end: () => Promise<void>;
}

/**
 * A stage on a server behind a proxy that can fail as a network does. Clients reach it over real sockets; each has a
 * clock whose time of day can jump.
 */
export async function serverStage(options: ServerStageOptions): Promise<RegistryStage> {
  const { runtime, ttlMs, seenWithinMs, doors, faults, end } = options;
  const { clock, timers, net } = runtime;
  let skewMs = 0;
  const skewed: Runtime = {
    ...runtime,
    clock: { nowMs: () => clock.nowMs(), wallMs: () => clock.wallMs() + skewMs },
  };
  const arrivals: number[] = [];
  const later = (delayMs: number, task: () => void): void => void timers.after(delayMs, task);
  const proxy = await tcpProxy(net, options.target, later, () => arrivals.push(clock.nowMs()));
  const opened = new Map<Registry, MortalRuntime>();
  return {
    runtime: skewed,
    ttlMs,
    address: proxy.address,
    ...(seenWithinMs !== undefined && { seenWithinMs }),
    ...(doors !== undefined && { doors }),
    faults: {
      ...faults,
      cut: proxy.cut,
      heal: proxy.heal,
      delay: proxy.delay,
      arrivals: () => arrivals,
      jumpClock: (byMs) => {
        skewMs += byMs;
      },
    },
    open: async () => {
      const own = mortalRuntime(skewed);
      const registry = await options.open(own, proxy.address);
      opened.set(registry, own);
      return registry;
    },
    crash: async (registry) => opened.get(registry)?.die(),
    close: async () => {
      // The dead ones cannot say good-bye; the proxy breaks their connections.
      const living = [...opened].filter(([, { alive }]) => alive);
      await Promise.all(living.map(([registry]) => registry.close()));
      await proxy.close();
      await end();
    },
  };
}
