// What the stages of all backends of the config centre share: objects that are closed, a proxy that is cut, a server.
import type { ConfigStore } from '@heddle/config';
import type { ConfigStage } from '@heddle/config/testing';
import { rmSync } from 'node:fs';
import { tcpProxy } from '@heddle/discovery/testing';
import type { Address, Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer } from '@heddle/rpc';
import { dataFolder } from '../../engines/cache.ts';
import type { Place, Running } from '../../engines/engine.ts';
import { freePort } from '../../engines/running.ts';

/** A runtime that says nothing. */
export const quietRuntime: Runtime = { ...nodeRuntime({ name: 'contracts' }), log: () => {} };

/** What makes a stage. */
export interface StageOptions {
  /** Opens the backend; at `address`, if it has one, which may be a proxy's. */
  readonly open: (address: Address | undefined) => Promise<ConfigStore>;
  /** Where the backend listens; missing where it does not. */
  readonly target?: () => Address;
  readonly restart?: () => Promise<void>;
  readonly contents: () => Promise<string>;
  readonly end?: () => Promise<void>;
}

/** A stage for one case. */
export async function stageOf({ open, target, restart, contents, end }: StageOptions): Promise<ConfigStage> {
  const opened: ConfigStore[] = [];
  const keep = async (store: Promise<ConfigStore>): Promise<ConfigStore> => {
    opened.push(await store);
    return store;
  };
  const { timers, net } = quietRuntime;
  const later = (delayMs: number, task: () => void): void => void timers.after(delayMs, task);
  const proxy = target === undefined ? undefined : await tcpProxy(net, target, later);
  return {
    runtime: quietRuntime,
    open: () => keep(open(target?.())),
    ...(proxy !== undefined && {
      faulty: { open: () => keep(open(proxy.address)), cut: proxy.cut, heal: proxy.heal },
    }),
    ...(restart !== undefined && { restart }),
    contents,
    serve: async (service, at = { host: '127.0.0.1', port: 0 }) => {
      const server = httpServer(service, { runtime: quietRuntime, address: at, maxCalls: 5000 });
      await server.start();
      return {
        address: server.address,
        stop: async () => {
          await server.drain();
          await server.stop();
        },
      };
    },
    close: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await proxy?.close();
      await end?.();
    },
  };
}

/** A server of a case's own, which can be killed and comes back with what it had. */
export async function ownServer(
  name: string,
  start: (options: { readonly address: Place; readonly folder: string }) => Promise<Running>,
): Promise<{
  readonly address: Place;
  readonly restart: () => Promise<void>;
  readonly end: () => Promise<void>;
}> {
  const options = { address: { host: '127.0.0.1', port: await freePort() }, folder: dataFolder(name) };
  let running = await start(options);
  const kill = async (): Promise<void> => {
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
  };
  return {
    address: options.address,
    restart: async () => {
      await kill();
      running = await start(options);
    },
    end: async () => {
      await kill();
      rmSync(options.folder, { recursive: true });
    },
  };
}
