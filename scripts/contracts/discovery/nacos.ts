// The registry contract on a real Nacos server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Registry } from '@heddle/discovery';
import { nacosRegistry, type ThreadedNacosOptions } from '@heddle/discovery/nacos';
import {
  recordWatch,
  type RegistryCase,
  type RegistryDoor,
  type RegistryStage,
  seenWithin,
  serverStage,
  until,
  user,
  userIds,
} from '@heddle/discovery/testing';
import { type Address, type Connection, type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { dataFolder } from '../../engines/cache.ts';
import { isMissing, obtain, type Place, type Running } from '../../engines/engine.ts';
import { freePlaces, nacos, nacosGrpcOffset, type NacosOptions } from '../../engines/nacos.ts';
import type { Contract } from '../result.ts';
import { blockedProcessCase, type ClientProgram, linesOf, spawnRegistered } from './blocked-process.ts';
import { SlowServer, SlowServers } from './slow-server.ts';
import { discoveryContract } from './suite.ts';

const ttlMs = 3000;
const timeoutMs = 2500;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
let shared: Promise<Running> | undefined;
let namespaces = 0;
const namespaceOf = new WeakMap<RegistryStage, string>();

const clientProgram: ClientProgram = {
  module: new URL('./clients/nacos.ts', import.meta.url),
  options: (address, leaseMs, stage) => ({
    addresses: [address],
    grpcOffset: 0,
    namespace: namespaceOf.get(stage),
    ttlMs: leaseMs,
    timeoutMs,
    maxBlockedMs: 60_000,
  }),
  // The server drops a connection after 20 s of silence, and three more until it looks.
  blockMs: 28_000,
  onShared: true,
};

/** On the real server; each case has a namespace of its own. */
export const nacosContract: Contract = discoveryContract({
  backend: 'nacos',
  prepare: async () => {
    const found = await obtain(nacos);
    return isMissing(found) ? found : { version: found.version };
  },
  stages: { '': (one) => (one.needs?.includes('kill') === true ? onMortal() : onShared()) },
  cannot: {
    forgetHistory:
      'Nacos pushes all instances of a service at each change: there is no history to go on from',
  },
  more: [groupsCase(), persistentCase(), protectCase(), blockedProcessCase(clientProgram)],
  killing: 2,
  end: async () => {
    await (await shared)?.stop();
    for (const { folder } of await mortals.end()) rmSync(folder, { recursive: true, force: true });
  },
});

/**
 * Its gRPC port is where the proxy is. Without a thread, which would keep the entries of those that a case lets die.
 */
function open(own: Runtime, address: Address, more: Partial<ThreadedNacosOptions> = {}): Registry {
  const fixed = { runtime: own, addresses: [address], grpcOffset: 0, ttlMs, timeoutMs, maxBlockedMs: 0 };
  return nacosRegistry({ ...fixed, ...more });
}

function grpcOf({ host, port }: Place): Place {
  return { host, port: port + nacosGrpcOffset };
}

interface StageServer {
  readonly address: Place;
  readonly faults?: Parameters<typeof serverStage>[0]['faults'];
  readonly doors?: Parameters<typeof serverStage>[0]['doors'];
  readonly end: () => Promise<void>;
}

/** A process that dies closes its connections; what keeps them open here is that it is one with the test. */
async function stageOn({ address, faults, doors, end }: StageServer): Promise<RegistryStage> {
  const namespace = `case${namespaces++}`;
  const sockets = new Map<Registry, Connection[]>();
  const stage = await serverStage({
    runtime,
    ttlMs,
    seenWithinMs: 4000,
    target: () => grpcOf(address),
    open: (own, proxy) => {
      const opened: Connection[] = [];
      const connect: Runtime['net']['connect'] = async (...args) => {
        const connection = await own.net.connect(...args);
        opened.push(connection);
        return connection;
      };
      const registry = open({ ...own, net: { ...own.net, connect } }, proxy, { namespace });
      sockets.set(registry, opened);
      return registry;
    },
    ...(faults !== undefined && { faults }),
    ...(doors !== undefined && { doors }),
    end,
  });
  const whole: RegistryStage = {
    ...stage,
    crash: async (registry) => {
      await stage.crash(registry);
      for (const connection of sockets.get(registry) ?? []) connection.destroy();
    },
  };
  namespaceOf.set(whole, namespace);
  return whole;
}

async function onShared(): Promise<RegistryStage> {
  shared ??= nacos.start({});
  const { address } = await shared;
  const others: Running[] = [];
  const beside = async (options: NacosOptions): Promise<Place> => {
    const other = await nacos.start(options);
    others.push(other);
    return grpcOf(other.address);
  };
  return stageOn({
    address,
    doors: { auth: () => authDoor(beside), tls: () => tlsDoor(beside), ipv6: async () => ipv6Door(address) },
    end: async () => {
      await Promise.all(others.map((other) => other.stop()));
    },
  });
}

const mortals = new SlowServers(2, async () => {
  const address = await freePlaces();
  const folder = dataFolder('nacos-case');
  let starts = 0;
  const server = new SlowServer((empty) => {
    if (empty) starts += 1;
    const data = path.join(folder, String(starts));
    mkdirSync(data, { recursive: true });
    return nacos.start({ address, folder: data });
  });
  return { address, folder, server };
});

async function onMortal(): Promise<RegistryStage> {
  const { server, address } = await mortals.next();
  const handOn = await server.take();
  return stageOn({
    address,
    faults: {
      kill: () => server.kill(),
      restart: () => server.start(false),
      restartEmpty: () => server.start(true),
    },
    end: async () => handOn(),
  });
}

async function authDoor(beside: (options: NacosOptions) => Promise<Place>): Promise<RegistryDoor> {
  const { host, port } = await beside({ user: { name: 'app', password: 'sesame' } });
  // The login is by HTTP, so the ports are those of the server.
  const address = { host, port: port - nacosGrpcOffset };
  const as = (more: Partial<ThreadedNacosOptions>): Registry =>
    open(runtime, address, { grpcOffset: nacosGrpcOffset, ...more });
  return {
    right: async () => as({ credentials: { user: 'app', password: 'sesame' } }),
    wrong: async () => ({
      'no user': as({}),
      'another password': as({ credentials: { user: 'app', password: 'simsim' } }),
    }),
  };
}

async function tlsDoor(beside: (options: NacosOptions) => Promise<Place>): Promise<RegistryDoor> {
  const authority = new TestAuthority('nacos', Date.now());
  const stranger = new TestAuthority('stranger', Date.now());
  const address = await beside({ tls: authority.issue({ subject: 'server', addresses: ['127.0.0.1'] }) });
  const trusting = (trust: string): Registry =>
    open(runtime, address, { tls: { source: { current: { identities: [], trust } } } });
  return {
    right: async () => trusting(authority.certificate),
    wrong: async () => ({
      'no trust in the server': trusting(stranger.certificate),
      'no TLS': open(runtime, address),
    }),
  };
}

/** It listens everywhere. */
function ipv6Door(address: Place): RegistryDoor {
  const { port } = grpcOf(address);
  return { right: async () => open(runtime, { host: '::1', port }), wrong: async () => ({}) };
}

function groupsCase(): RegistryCase {
  return {
    name: 'namespaces and groups see nothing of each other; clusters of one group are seen together',
    run: async () => {
      const { address } = await (shared ??= nacos.start({}));
      const at = grpcOf(address);
      const namespace = `case${namespaces++}`;
      const one = open(runtime, at, { namespace, cluster: 'one' });
      const two = open(runtime, at, { namespace, cluster: 'two' });
      const group = open(runtime, at, { namespace, group: 'OTHER' });
      const elsewhere = open(runtime, at, { namespace: `case${namespaces++}` });
      const all = [one, two, group, elsewhere];
      for (const [index, registry] of all.entries()) await registry.register(user(`i${index}`));
      const seen = await Promise.all(all.map(userIds));
      assert.deepEqual(seen, ['i0,i1', 'i0,i1', 'i2', 'i3']);
      await Promise.all(all.map((registry) => registry.close()));
    },
  };
}

function persistentCase(): RegistryCase {
  return {
    name: 'a persistent instance stays when its process is killed, and goes when it is deregistered',
    run: async (stage) => {
      const options: ClientProgram['options'] = (...asked) => ({
        ...(clientProgram.options(...asked) as object),
        ephemeral: false,
      });
      const namespace = namespaceOf.get(stage);
      assert.ok(stage.address !== undefined && namespace !== undefined);
      const watch = recordWatch(await stage.open(), 'users');
      const child = spawnRegistered({ ...clientProgram, options }, stage);
      try {
        assert.equal(await linesOf(child).next(), 'registered');
        await until(runtime, 'x is seen', seenWithin(stage), () => watch.ids === 'x');
      } finally {
        child.kill('SIGKILL');
      }
      await once(child, 'exit');
      await sleep(runtime.timers, 2 * ttlMs);
      assert.equal(await userIds(await stage.open()), 'x', 'it stays');
      const heir = open(runtime, stage.address, { namespace, ephemeral: false });
      const held = await heir.register({
        id: 'x',
        service: 'users',
        address: '127.0.0.1',
        port: 1,
        weight: 7,
      });
      await until(runtime, 'its heir has it', seenWithin(stage), () => held.registered);
      await until(runtime, 'what it says', seenWithin(stage), () => watch.latest?.instances[0]?.weight === 7);
      await heir.deregister('users', 'x');
      await until(runtime, 'x has gone', seenWithin(stage), () => watch.ids === '');
      await Promise.all([watch.stop(), heir.close()]);
    },
  };
}

/** Nacos' own HTTP interface, for what other programs do there. */
async function tell(method: string, path: string, asked: Readonly<Record<string, string>>): Promise<void> {
  const { address } = await (shared ??= nacos.start({}));
  const query = new URLSearchParams({ serviceName: 'users', groupName: 'DEFAULT_GROUP', ephemeral: 'true' });
  for (const [name, value] of Object.entries(asked)) query.set(name, value);
  const answer = await fetch(
    `http://${address.host}:${address.port}/nacos/v2/ns/${path}?${query.toString()}`,
    {
      method,
    },
  );
  assert.equal(answer.status, 200, await answer.text());
}

function protectCase(): RegistryCase {
  return {
    name: 'protect threshold: with fewer healthy instances than that, all are called healthy, and so shown by us',
    run: async (stage) => {
      const namespaceId = namespaceOf.get(stage);
      assert.ok(namespaceId !== undefined);
      await tell('POST', 'service', { namespaceId, protectThreshold: '0' });
      for (const [port, healthy] of Object.entries({ 1: true, 2: false, 3: false }))
        await tell('POST', 'instance', { namespaceId, ip: '10.0.0.1', port, healthy: String(healthy) });
      const reader = await stage.open();
      const isShown = (expected: string) => async (): Promise<boolean> => {
        const { instances } = await reader.instances('users');
        return instances.map(({ state, port }) => `${port} ${state}`).join() === expected;
      };
      const asTheyAre = isShown('1 running,2 unhealthy,3 unhealthy');
      await until(runtime, 'all as they are', seenWithin(stage), asTheyAre);
      await tell('PUT', 'service', { namespaceId, protectThreshold: '0.5' });
      const protectedAll = isShown('1 running,2 running,3 running');
      await until(runtime, 'all as healthy', seenWithin(stage), protectedAll);
      await tell('PUT', 'service', { namespaceId, protectThreshold: '0.3' });
      await until(runtime, 'a third is more than that', seenWithin(stage), asTheyAre);
    },
  };
}
