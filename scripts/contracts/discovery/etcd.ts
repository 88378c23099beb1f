// etcd, by its gRPC API: a real server for each case that breaks one, and one that the others share by prefixes.
import assert from 'node:assert/strict';
import type { Registry } from '@heddle/discovery';
import { type EtcdRegistryOptions, etcdRegistry } from '@heddle/discovery/etcd';
import {
  type RegistryCase,
  type RegistryDoor,
  type RegistryStage,
  serverStage,
  user,
  userIds,
} from '@heddle/discovery/testing';
import { type Address, type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { lastWords, run } from '../../engines/command.ts';
import { obtain, type Place, required, type Running } from '../../engines/engine.ts';
import { type EtcdOptions, etcd, etcdctl } from '../../engines/etcd.ts';
import type { Contract } from '../result.ts';
import { blockedProcessCase, type ClientProgram } from './blocked-process.ts';
import { clusterCase } from './etcd-cluster.ts';
import { certificateDoor, OwnServer } from './own-server.ts';
import { discoveryContract, leaseFor } from './suite.ts';

// The shortest lease that etcd has is a second; on a busy machine that is too short to be kept.
const ttlMs = 2000;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
let shared: Promise<Running> | undefined;
let prefixes = 0;

/** Without a thread, which would keep the leases of those that a case lets die. */
function open(on: Runtime, address: Address, more: Partial<EtcdRegistryOptions> = {}): Registry {
  return etcdRegistry({
    runtime: on,
    addresses: [address],
    ttlMs,
    timeoutMs: 2000,
    maxBlockedMs: 0,
    ...more,
  });
}

const clientProgram: ClientProgram = {
  module: new URL('./clients/etcd.ts', import.meta.url),
  options: (address, leaseMs) => ({ addresses: [address], ttlMs: leaseMs, timeoutMs: 4000 }),
};

const keysCase: RegistryCase = {
  name: 'an instance is a key <prefix>/<service>/<host:port> on a lease of its own; the prefix is /registry unless it is set',
  run: async (stage) => {
    const address = stage.address as Place;
    for (const [prefix, more] of [
      ['/registry', {}],
      ['/team/a', { prefix: '/team/a' }],
    ] as const) {
      const registry = open(runtime, address, more);
      await registry.register({ service: 'keys', address: '10.0.0.1', port: 8080 });
      await registry.register({ service: 'keys', address: 'fe80::1', port: 8080 });
      const said = await control(address, ['get', '--prefix', `${prefix}/keys/`, '--write-out=json']);
      const { kvs } = JSON.parse(said) as { kvs: { key: string; lease: number }[] };
      assert.deepEqual(
        kvs.map(({ key }) => Buffer.from(key, 'base64').toString()),
        [`${prefix}/keys/10.0.0.1:8080`, `${prefix}/keys/[fe80::1]:8080`],
      );
      assert.equal(new Set(kvs.map(({ lease }) => lease)).size, 2);
      await registry.close();
    }
  },
};

/** On the real server. */
export const etcdContract: Contract = discoveryContract({
  backend: 'etcd',
  prepare: () => obtain(etcd),
  stages: { '': (one: RegistryCase) => (one.needs === undefined ? onShared(one) : onOwn(one)) },
  more: [keysCase, clusterCase(), loginCase(), blockedProcessCase(clientProgram)],
  end: async () => {
    await (await shared)?.stop();
  },
});

async function onShared(one: RegistryCase): Promise<RegistryStage> {
  const leaseMs = leaseFor(one, ttlMs);
  shared ??= etcd.start({});
  const server = await shared;
  const prefix = `/case${prefixes++}`;
  return serverStage({
    runtime,
    ttlMs: leaseMs,
    target: () => server.address,
    open: (own, address) => open(own, address, { prefix, ttlMs: leaseMs, timeoutMs: leaseMs }),
    end: async () => {},
  });
}

async function onOwn(one: RegistryCase): Promise<RegistryStage> {
  const leaseMs = leaseFor(one, ttlMs);
  const server = await OwnServer.start(etcd);
  return serverStage({
    runtime,
    ttlMs: leaseMs,
    target: () => server.address,
    open: (own, address) => open(own, address, { ttlMs: leaseMs, timeoutMs: leaseMs }),
    faults: { ...server.faults, forgetHistory: () => compact(server.address) },
    doors: {
      auth: () => usersDoor(server),
      tls: () =>
        certificateDoor({
          folder: server.folder,
          start: (tls) => server.beside({ tls }),
          open: (address, tls) => open(runtime, address, { tls }),
        }),
      ipv6: () => server.ipv6Door((address) => open(runtime, address)),
    },
    end: () => server.end(),
  });
}

/** Has a server forget all but the present. */
async function compact(address: Place): Promise<void> {
  const said = await control(address, ['endpoint', 'status', '--write-out=json']);
  const [status] = JSON.parse(said) as [{ Status: { header: { revision: number } } }];
  await control(address, ['compaction', '--physical', String(status.Status.header.revision)]);
}

/** Runs etcdctl, to its end. */
async function control({ host, port }: Place, args: readonly string[]): Promise<string> {
  const { path: command } = await required(etcdctl);
  const { code, output } = await run(command, [`--endpoints=${host}:${port}`, ...args], {
    env: { ETCDCTL_API: '3' },
  });
  if (code !== 0) throw new Error(`etcdctl ${args[0]}: ${lastWords(output)}`);
  return output;
}

/** Users: one that may write below /registry, and one that may not. Whoever has no right to it is refused from then on. */
async function addUsers(address: Place): Promise<void> {
  const commands = [
    ['user', 'add', 'root:root'],
    ['user', 'grant-role', 'root', 'root'],
    ['role', 'add', 'registry'],
    ['role', 'grant-permission', 'registry', '--prefix=true', 'readwrite', '/registry/'],
    ['user', 'add', 'heddle:sesame'],
    ['user', 'grant-role', 'heddle', 'registry'],
    ['user', 'add', 'nobody:sesame'],
    ['auth', 'enable'],
  ];
  await control(address, ['role', 'add', 'root']).catch(() => '');
  for (const command of commands) await control(address, command);
}

async function usersDoor(server: OwnServer<EtcdOptions>): Promise<RegistryDoor> {
  const address = await server.beside({});
  await addUsers(address);
  const as = (name: string, password: string): Registry =>
    open(runtime, address, { user: { name, password } });
  return {
    right: async () => as('heddle', 'sesame'),
    wrong: async () => ({
      'a wrong password': as('heddle', 'please'),
      'no user': open(runtime, address),
      'a user without the right': as('nobody', 'sesame'),
    }),
  };
}

/** The case, on a server of its own whose logins are good for a second. */
function loginCase(): RegistryCase {
  return {
    name: 'a login that has run out is made anew: reading, a held registration and a new one go on',
    run: async () => {
      const server = await etcd.start({ loginSeconds: 1 });
      try {
        await addUsers(server.address);
        return await throughLogins(server.address);
      } finally {
        await server.stop();
      }
    },
  };
}

async function throughLogins(address: Place): Promise<string> {
  // Renewed less often than a login lasts, so that each renewal finds one that has run out.
  const registry = open(runtime, address, {
    user: { name: 'heddle', password: 'sesame' },
    ttlMs: 12_000,
    timeoutMs: 6000,
  });
  try {
    const held = await registry.register(user('a'));
    assert.equal(held.problem, undefined, held.problem?.message ?? '');
    const flips: boolean[] = [];
    held.subscribe((registered) => flips.push(registered));
    const token = await logIn(address);
    assert.equal((await rangeWith(address, token)).status, 200);
    const sinceMs = runtime.clock.nowMs();
    await sleep(runtime.timers, 3500);
    const refused = await rangeWith(address, token);
    assert.match(await refused.text(), /invalid auth token/, 'a login of that age has run out');
    assert.equal(await userIds(registry), 'a');
    await sleep(runtime.timers, 3500);
    await registry.register(user('b'));
    // Longer than the lease: it was renewed meanwhile.
    await sleep(runtime.timers, 6000);
    assert.equal(await userIds(registry), 'a,b');
    assert.deepEqual([held.registered, held.problem, flips], [true, undefined, []]);
    const seconds = ((runtime.clock.nowMs() - sinceMs) / 1000).toFixed(1);
    return `held for ${seconds} s on logins of one second`;
  } finally {
    await registry.close();
  }
}

/** A token as our client gets one, by etcd's gateway to JSON. */
async function logIn({ host, port }: Place): Promise<string> {
  const answer = await fetch(`http://${host}:${port}/v3/auth/authenticate`, {
    method: 'POST',
    body: JSON.stringify({ name: 'heddle', password: 'sesame' }),
  });
  return ((await answer.json()) as { token: string }).token;
}

function rangeWith({ host, port }: Place, token: string): Promise<Response> {
  const key = Buffer.from('/registry/users/a').toString('base64');
  return fetch(`http://${host}:${port}/v3/kv/range`, {
    method: 'POST',
    headers: { authorization: token },
    body: JSON.stringify({ key }),
  });
}
