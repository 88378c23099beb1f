// The registry contract on a real Eureka server (Spring Cloud Netflix).
import assert from 'node:assert/strict';
import type { Registry } from '@heddle/discovery';
import { eurekaRegistry, type ThreadedEurekaOptions } from '@heddle/discovery/eureka';
import {
  recordWatch,
  type RegistryCase,
  type RegistryDoor,
  type RegistryStage,
  serverStage,
  until,
  user,
  userIds,
} from '@heddle/discovery/testing';
import { type Address, type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { isMissing, obtain, type Place, type Running } from '../../engines/engine.ts';
import { eureka, type EurekaOptions } from '../../engines/eureka.ts';
import { freePlace } from '../../engines/running.ts';
import type { Contract } from '../result.ts';
import { SlowServer, SlowServers } from './slow-server.ts';
import { discoveryContract } from './suite.ts';

// Eureka counts in seconds, and gives an entry once the time of its lease and then twice.
const ttlMs = 4000;
const timeoutMs = 3500;
const pollMs = 100;
// The server keeps an answer that has missed a change for a second (see the engine), and an interval passes.
const seenWithinMs = 2000 + 1000 + pollMs;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
let shared: Promise<Running> | undefined;
let prefixes = 0;

/** On the real server; each case has a prefix of its own. */
export const eurekaContract: Contract = discoveryContract({
  backend: 'eureka',
  prepare: async () => {
    const found = await obtain(eureka);
    return isMissing(found) ? found : { version: found.version };
  },
  stages: { '': (one) => (one.needs?.includes('kill') === true ? onMortal(one) : onShared()) },
  cannot: {
    forgetHistory:
      'Eureka keeps no history that a watcher goes on from: each poll is compared with all that there is',
  },
  more: [selfPreservationCase(), peersCase(), blockedCase()],
  killing: 2,
  end: async () => {
    await (await shared)?.stop();
    await mortals.end();
    await (await guarded)?.stop();
  },
});

function open(own: Runtime, address: Address, more: Partial<ThreadedEurekaOptions> = {}): Registry {
  return eurekaRegistry({
    runtime: own,
    servers: [address],
    ttlMs,
    timeoutMs,
    pollMs,
    maxBlockedMs: 0,
    ...more,
  });
}

async function onShared(): Promise<RegistryStage> {
  shared ??= eureka.start({});
  const { address } = await shared;
  const prefix = `case${prefixes++}-`;
  const others: Running[] = [];
  const beside = async (options: EurekaOptions): Promise<Place> => {
    const other = await eureka.start(options);
    others.push(other);
    return other.address;
  };
  return serverStage({
    runtime,
    ttlMs,
    seenWithinMs,
    target: () => address,
    open: (own, proxy) => open(own, proxy, { prefix }),
    doors: { auth: authDoor, tls: () => tlsDoor(beside), ipv6: ipv6Door },
    end: async () => {
      await Promise.all(others.map((other) => other.stop()));
    },
  });
}

/** Five hundred processes that poll ten times a second would be a test of this machine. */
function pollFor({ needs }: RegistryCase): number {
  return needs?.includes('arrivals') === true ? 2000 : pollMs;
}

const mortals = new SlowServers(2, async () => {
  const address = await freePlace();
  return { address, server: new SlowServer(() => eureka.start({ address })) };
});

async function onMortal(one: RegistryCase): Promise<RegistryStage> {
  const { server, address } = await mortals.next();
  const handOn = await server.take();
  const prefix = `case${prefixes++}-`;
  return serverStage({
    runtime,
    ttlMs,
    seenWithinMs,
    target: () => address,
    open: (own, proxy) => open(own, proxy, { prefix, pollMs: pollFor(one) }),
    faults: {
      kill: () => server.kill(),
      // It keeps nothing on disk: it has what its clients and its peers tell it.
      restart: () => server.start(false),
      restartEmpty: () => server.start(true),
    },
    end: async () => handOn(),
  });
}

/** A server at IPv6 that asks who one is: for both cases. */
let guarded: Promise<Running> | undefined;
const credentials = { user: 'app', password: 'sesame' };

async function guardedAddress(): Promise<Place> {
  guarded ??= freePlace().then(({ port }) => {
    const user = { name: credentials.user, password: credentials.password };
    return eureka.start({ address: { host: '::1', port }, user });
  });
  return (await guarded).address;
}

async function authDoor(): Promise<RegistryDoor> {
  const address = await guardedAddress();
  const prefix = `case${prefixes++}-`;
  return {
    right: async () => open(runtime, address, { prefix, credentials }),
    wrong: async () => ({
      'no user': open(runtime, address, { prefix }),
      'another password': open(runtime, address, {
        prefix,
        credentials: { ...credentials, password: 'simsim' },
      }),
    }),
  };
}

async function tlsDoor(beside: (options: EurekaOptions) => Promise<Place>): Promise<RegistryDoor> {
  const authority = new TestAuthority('eureka', Date.now());
  const stranger = new TestAuthority('stranger', Date.now());
  const address = await beside({ tls: authority.issue({ subject: 'server', addresses: ['127.0.0.1'] }) });
  const trusting = (trust: string): Registry =>
    open(runtime, address, { tls: { source: { current: { identities: [], trust } } } });
  return {
    right: async () => trusting(authority.certificate),
    wrong: async () => ({ 'no trust in the server': trusting(stranger.certificate) }),
  };
}

async function ipv6Door(): Promise<RegistryDoor> {
  const address = await guardedAddress();
  const prefix = `case${prefixes++}-`;
  return { right: async () => open(runtime, address, { prefix, credentials }), wrong: async () => ({}) };
}

function selfPreservationCase(): RegistryCase {
  return {
    name: 'self-preservation: when renewals stop, what had lapsed is kept by the server and shown by us',
    uses: ['register', 'leases'],
    run: async () => {
      const server = await eureka.start({ selfPreservation: true });
      try {
        const dying = { ...runtime, timers: { ...runtime.timers } };
        const ids = ['a', 'b', 'c', 'd'];
        const writer = open(dying, server.address);
        for (const id of ids) await writer.register(user(id));
        const reader = open(runtime, server.address);
        assert.equal(await userIds(reader), ids.join());
        // From now on nothing more is renewed.
        dying.timers.after = () => ({ cancel: () => {} });
        await sleep(runtime.timers, 3 * ttlMs);
        assert.equal(await userIds(reader), ids.join(), 'none has gone');
        await reader.close();
        return `${ids.length} entries kept ${3 * ttlMs} ms after their last renewal`;
      } finally {
        await server.stop();
      }
    },
  };
}

function peersCase(): RegistryCase {
  return {
    name: 'several peers: the one in our zone is asked first, and the other goes on when it is killed',
    run: async () => {
      const [near, far] = await Promise.all([freePlace(), freePlace()]);
      const servers = await Promise.all([
        eureka.start({ address: near, peers: [far] }),
        eureka.start({ address: far, peers: [near] }),
      ]);
      try {
        const peers = [
          { ...far, zone: 'far' },
          { ...near, zone: 'near' },
        ];
        const writer = open(runtime, near, { servers: peers, zone: 'near' });
        const held = await writer.register(user('a'));
        const onlyNear = open(runtime, near);
        assert.equal(await userIds(onlyNear), 'a', 'the peer in our zone was asked');
        const onlyFar = open(runtime, far);
        await until(runtime, 'its peer is told', 20_000, async () => (await userIds(onlyFar)) === 'a');
        const reader = open(runtime, near, { servers: peers, zone: 'near' });
        const watch = recordWatch(reader, 'users');
        await until(runtime, 'a is seen', 5000, () => watch.ids === 'a');
        process.kill(servers[0].pid, 'SIGKILL');
        await writer.register(user('b'));
        await until(runtime, 'b is seen', 15_000, () => watch.ids === 'a,b' && watch.latest?.stale === false);
        assert.equal(held.registered, true);
        await watch.stop();
        for (const one of [writer, onlyNear, onlyFar, reader]) await one.close();
      } finally {
        await Promise.all(servers.map((server) => server.stop()));
      }
    },
  };
}

function blockedCase(): RegistryCase {
  return {
    name: 'a main thread that is blocked for 20 s keeps its lease: a thread renews it',
    uses: ['register', 'leases'],
    alone: true,
    run: async () => {
      shared ??= eureka.start({});
      const { address } = await shared;
      const prefix = `case${prefixes++}-`;
      const writer = open(runtime, address, { prefix, maxBlockedMs: 60_000 });
      const held = await writer.register(user('a'));
      let flips = 0;
      held.subscribe(() => {
        flips += 1;
      });
      await sleep(runtime.timers, ttlMs);
      const endMs = runtime.clock.nowMs() + 20_000;
      while (runtime.clock.nowMs() < endMs);
      assert.deepEqual([held.registered, flips], [true, 0]);
      const reader = open(runtime, address, { prefix });
      assert.equal(await userIds(reader), 'a');
      await Promise.all([writer.close(), reader.close()]);
      return `blocked for 20 s, lease of ${ttlMs} ms`;
    },
  };
}
