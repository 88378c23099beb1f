// The registry contract on a real Nacos server.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Registry } from '@heddle/discovery';
import { nacosRegistry, type ThreadedNacosOptions } from '@heddle/discovery/nacos';
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
import type { Address, Connection, Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { dataFolder } from '../../engines/cache.ts';
import { isMissing, obtain, type Place, type Running } from '../../engines/engine.ts';
import { freePlaces, nacos, nacosGrpcOffset, type NacosOptions } from '../../engines/nacos.ts';
import type { Contract } from '../result.ts';
import { SlowServer } from './slow-server.ts';
import { discoveryContract } from './suite.ts';

const ttlMs = 3000;
const timeoutMs = 2500;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
let shared: Promise<Running> | undefined;
let mortal:
  | Promise<{ readonly server: SlowServer; readonly address: Place; readonly folder: string }>
  | undefined;
let namespaces = 0;

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
  more: [groupsCase(), persistentCase()],
  end: async () => {
    await (await shared)?.stop();
    const { server, folder } = (await mortal) ?? {};
    await server?.kill();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
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
  return {
    ...stage,
    crash: async (registry) => {
      await stage.crash(registry);
      for (const connection of sockets.get(registry) ?? []) connection.destroy();
    },
  };
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
    doors: { auth: () => authDoor(beside), tls: () => tlsDoor(beside), ipv6: () => ipv6Door(beside) },
    end: async () => {
      await Promise.all(others.map((other) => other.stop()));
    },
  });
}

async function onMortal(): Promise<RegistryStage> {
  mortal ??= freePlaces().then((address) => {
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
  const { server, address } = await mortal;
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

async function ipv6Door(beside: (options: NacosOptions) => Promise<Place>): Promise<RegistryDoor> {
  const { port } = await beside({});
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
    name: 'a persistent instance stays when its process has died, and goes when it is deregistered',
    run: async () => {
      const { address } = await (shared ??= nacos.start({}));
      const at = grpcOf(address);
      const namespace = `case${namespaces++}`;
      const writer = open(runtime, at, { namespace, ephemeral: false });
      const held = await writer.register(user('a', { address: '127.0.0.1', port: address.port, weight: 7 }));
      assert.equal(held.registered, true, held.problem?.message ?? 'not registered');
      const reader = open(runtime, at, { namespace });
      const watch = recordWatch(reader, 'users');
      await until(runtime, 'a is seen', 5000, () => watch.latest?.instances[0]?.weight === 7);
      await writer.deregister('users', 'a');
      await until(runtime, 'a has gone', 5000, () => watch.ids === '');
      await Promise.all([writer.close(), reader.close()]);
    },
  };
}
