// The registry contract on a real ZooKeeper server.
import assert from 'node:assert/strict';
import type { Registry } from '@heddle/discovery';
import {
  type RegistryCase,
  type RegistryDoor,
  type RegistryFaults,
  type RegistryStage,
  recordWatch,
  serverStage,
  until,
  user,
} from '@heddle/discovery/testing';
import { zooKeeperRegistry, type ThreadedZooKeeperOptions } from '@heddle/discovery/zookeeper';
import { type Address, type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { rmSync } from 'node:fs';
import { dataFolder } from '../../engines/cache.ts';
import { isMissing, obtain, type Place, type Running } from '../../engines/engine.ts';
import { freePlace } from '../../engines/running.ts';
import { zooKeeper, type ZooKeeperOptions } from '../../engines/zookeeper.ts';
import type { Contract } from '../result.ts';
import { discoveryContract, leaseFor } from './suite.ts';
import { ensembleCase } from './zookeeper-ensemble.ts';

const ttlMs = 1200;
const timeoutMs = 1000;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };

/** What most cases share: each has a path of its own. */
let shared: Promise<Running> | undefined;
let paths = 0;
const addressOf = new WeakMap<RegistryStage, Address>();

/** Sessions, watches and ephemeral nodes as they really are. */
export const zooKeeperContract: Contract = discoveryContract({
  backend: 'zookeeper',
  prepare: async () => {
    const found = await obtain(zooKeeper);
    return isMissing(found) ? found : { version: found.version };
  },
  stages: { '': (one) => (one.needs?.includes('kill') === true ? ownServer(one) : onSharedServer(one)) },
  more: [blockedCase(), ensembleCase()],
  end: async () => {
    await (await shared)?.stop();
    shared = undefined;
  },
});

/** Without a thread, which would keep the session of those that a case lets die. */
function open(own: Runtime, address: Address, more: Partial<ThreadedZooKeeperOptions> = {}): Registry {
  return zooKeeperRegistry({
    runtime: own,
    addresses: [address],
    ttlMs,
    timeoutMs,
    maxBlockedMs: 0,
    ...more,
  });
}

async function onSharedServer(one: RegistryCase): Promise<RegistryStage> {
  const leaseMs = leaseFor(one, ttlMs);
  shared ??= zooKeeper.start({});
  const { address } = await shared;
  const path = `/case${paths++}`;
  const others: Running[] = [];
  const beside = async (options: ZooKeeperOptions): Promise<Place> => {
    const other = await zooKeeper.start(options);
    others.push(other);
    return other.address;
  };
  const stage = await serverStage({
    runtime,
    ttlMs: leaseMs,
    target: () => address,
    open: (own, proxy) => open(own, proxy, { path, ttlMs: leaseMs, timeoutMs: leaseMs }),
    doors: {
      auth: () => authDoor(address, path),
      tls: () => tlsDoor(beside),
      ipv6: async () => {
        const { port } = await freePlace();
        const at = await beside({ address: { host: '::1', port } });
        return { right: async () => open(runtime, at), wrong: async () => ({}) };
      },
    },
    end: async () => {
      await Promise.all(others.map((other) => other.stop()));
    },
  });
  const faults = { ...stage.faults, ...expiring(stage.faults) };
  const whole = { ...stage, faults };
  addressOf.set(whole, address);
  return whole;
}

/** Sessions expire when nothing is heard of them: with them go the watches that a reader relies on. */
function expiring({ cut, heal }: RegistryFaults): RegistryFaults {
  let isCut = false;
  const cutOff = (): void => {
    isCut = true;
    cut?.();
  };
  const mend = (): void => {
    isCut = false;
    heal?.();
  };
  return {
    cut: cutOff,
    heal: mend,
    forgetHistory: async () => {
      const wasCut = isCut;
      cutOff();
      await sleep(runtime.timers, 2 * ttlMs);
      if (!wasCut) mend();
    },
  };
}

async function ownServer(one: RegistryCase): Promise<RegistryStage> {
  const leaseMs = leaseFor(one, ttlMs);
  const address = await freePlace();
  let folder = dataFolder('zookeeper');
  let running: Running | undefined = await zooKeeper.start({ address, folder });
  const start = async (): Promise<void> => {
    running = await zooKeeper.start({ address, folder });
  };
  const kill = async (): Promise<void> => {
    if (running !== undefined) process.kill(running.pid, 'SIGKILL');
    await running?.stop();
    running = undefined;
  };
  const wipe = (): void => rmSync(folder, { recursive: true, force: true });
  return serverStage({
    runtime,
    ttlMs: leaseMs,
    target: () => address,
    open: (own, proxy) => open(own, proxy, { ttlMs: leaseMs, timeoutMs: leaseMs }),
    faults: {
      kill,
      restart: start,
      restartEmpty: () => {
        wipe();
        folder = dataFolder('zookeeper');
        return start();
      },
    },
    end: async () => {
      await running?.stop();
      wipe();
    },
  });
}

async function authDoor(address: Place, path: string): Promise<RegistryDoor> {
  const credentials = { user: 'app', password: 'sesame' };
  return {
    right: async () => open(runtime, address, { path, credentials }),
    wrong: async () => ({
      'no credentials': open(runtime, address, { path }),
      'another password': open(runtime, address, { path, credentials: { user: 'app', password: 'simsim' } }),
    }),
  };
}

/** A server that wants certificates of its clients. */
async function tlsDoor(beside: (options: ZooKeeperOptions) => Promise<Place>): Promise<RegistryDoor> {
  const authority = new TestAuthority('zookeeper', Date.now());
  const stranger = new TestAuthority('stranger', Date.now());
  const client = authority.issue({ subject: 'client' });
  const identity = authority.issue({ subject: 'server', addresses: ['127.0.0.1'] });
  const address = await beside({ tls: { ...identity, trust: authority.certificate } });
  const trusting = (trust: string, identities: (typeof client)[]): Registry =>
    open(runtime, address, { tls: { source: { current: { identities, trust } } } });
  return {
    right: async () => trusting(authority.certificate, [client]),
    wrong: async () => ({
      'no trust in the server': trusting(stranger.certificate, [client]),
      'no certificate': trusting(authority.certificate, []),
    }),
  };
}

function blockedCase(): RegistryCase {
  return {
    name: 'a main thread that is blocked for 20 s keeps its session: a thread goes on with it, and nobody sees it go',
    uses: ['register', 'leases'],
    alone: true,
    run: async (stage) => {
      const address = addressOf.get(stage);
      assert.ok(address !== undefined);
      const path = `/case${paths++}`;
      const registry = zooKeeperRegistry({ runtime, addresses: [address], path, ttlMs: 3000, timeoutMs });
      const held = await registry.register(user('a'));
      assert.equal(held.registered, true, held.problem?.message ?? 'not registered');
      let flips = 0;
      held.subscribe(() => {
        flips += 1;
      });
      const written = (await registry.instances('users')).instances[0]?.lastHeartbeatMs;
      // The thread has to know of the lease.
      const startMs = runtime.clock.nowMs();
      await until(runtime, 'a renewal', 3000, () => runtime.clock.nowMs() > startMs + 2000);
      const endMs = runtime.clock.nowMs() + 20_000;
      while (runtime.clock.nowMs() < endMs);
      assert.deepEqual([held.registered, flips], [true, 0]);
      const reader = zooKeeperRegistry({ runtime, addresses: [address], path, timeoutMs });
      const [seen] = (await reader.instances('users')).instances;
      assert.equal(seen?.lastHeartbeatMs, written, 'the node is the same one, never written again');
      const watch = recordWatch(reader, 'users');
      await registry.register(user('a', { weight: 7 }));
      await until(
        runtime,
        'the main thread has its session back',
        3000,
        () => watch.latest?.instances[0]?.weight === 7,
      );
      await registry.close();
      await reader.close();
      return 'blocked for 20 s, session of 3 s';
    },
  };
}
