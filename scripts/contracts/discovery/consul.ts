// Consul, by its HTTP API: a real server for each case that breaks one, and one after another on a shared one for the
// rest, since the community edition has no namespaces that could keep them apart.
import assert from 'node:assert/strict';
import type { Registry } from '@heddle/discovery';
import { type ConsulRegistryOptions, consulRegistry } from '@heddle/discovery/consul';
import {
  type RegistryCase,
  type RegistryDoor,
  type RegistryStage,
  serverStage,
  user,
  userIds,
} from '@heddle/discovery/testing';
import type { Address, Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type ConsulOptions, consul } from '../../engines/consul.ts';
import { obtain, type Place, type Running } from '../../engines/engine.ts';
import type { Contract } from '../result.ts';
import { blockedProcessCase, type ClientProgram } from './blocked-process.ts';
import { agentCheckCases } from './consul-checks.ts';
import { certificateDoor, OwnServer } from './own-server.ts';
import { discoveryContract, leaseFor } from './suite.ts';

const ttlMs = 2000;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
const management = '00000000-0000-0000-0000-0000000000a1';
let shared: Promise<Running>[] = [];
const idle: Running[] = [];

/** Without a thread, which would keep the leases of those that a case lets die. */
function open(on: Runtime, address: Address, more: Partial<ConsulRegistryOptions> = {}): Registry {
  return consulRegistry({
    runtime: on,
    addresses: [address],
    ttlMs,
    timeoutMs: 2000,
    maxBlockedMs: 0,
    ...more,
  });
}

const clientProgram: ClientProgram = {
  module: new URL('./clients/consul.ts', import.meta.url),
  options: (address, leaseMs) => ({ addresses: [address], ttlMs: leaseMs, timeoutMs: 4000 }),
};

const namespaceCase: RegistryCase = {
  name: 'a namespace is left out where there are none, which is logged once',
  run: async (stage) => {
    const logged: string[] = [];
    const log: Runtime['log'] = (level, message) => void logged.push(`${level} ${message}`);
    const registry = open({ ...stage.runtime, log }, stage.address as Place, { namespace: 'team' });
    const { problem } = await registry.register(user('a'));
    assert.equal(problem, undefined, String(problem?.message));
    assert.equal(await userIds(await stage.open()), 'a');
    assert.equal(await userIds(registry), 'a');
    await registry.close();
    assert.deepEqual(logged, ['warn this Consul has no namespaces; the one that was given is left out']);
  },
};

/** On the real server. */
export const consulContract: Contract = discoveryContract({
  backend: 'consul',
  prepare: () => obtain(consul),
  stages: { '': (one: RegistryCase) => (one.needs === undefined ? onShared(one) : onOwn(one)) },
  more: [namespaceCase, ...agentCheckCases(), blockedProcessCase(clientProgram)],
  end: async () => {
    await Promise.all(shared.map(async (server) => (await server).stop()));
    shared = [];
    idle.length = 0;
  },
});

/** One of the servers that no case uses at the moment. */
async function onShared(one: RegistryCase): Promise<RegistryStage> {
  const leaseMs = leaseFor(one, ttlMs);
  const server = idle.pop() ?? (await startShared());
  return serverStage({
    runtime,
    ttlMs: leaseMs,
    target: () => server.address,
    open: (own, address) => open(own, address, { ttlMs: leaseMs, timeoutMs: leaseMs }),
    end: async () => {
      await clean(server.address);
      idle.push(server);
    },
  });
}

function startShared(): Promise<Running> {
  const server = consul.start({});
  shared.push(server);
  return server;
}

/** Takes away what a case has left, of those that it let die. */
async function clean({ host, port }: Place): Promise<void> {
  const api = `http://${host}:${port}/v1`;
  const services = (await (await fetch(`${api}/agent/services`)).json()) as object;
  for (const id of Object.keys(services))
    await fetch(`${api}/agent/service/deregister/${encodeURIComponent(id)}`, { method: 'PUT' });
  for (;;) {
    const names = Object.keys((await (await fetch(`${api}/catalog/services`)).json()) as object);
    if (names.every((name) => name === 'consul')) return;
  }
}

async function onOwn(one: RegistryCase): Promise<RegistryStage> {
  const leaseMs = leaseFor(one, ttlMs);
  const server = await OwnServer.start(consul);
  return serverStage({
    runtime,
    ttlMs: leaseMs,
    target: () => server.address,
    open: (own, address) => open(own, address, { ttlMs: leaseMs, timeoutMs: leaseMs }),
    // What Consul has as history is the index, which begins anew with its data.
    faults: {
      ...server.faults,
      forgetHistory: async () => {
        await server.faults.kill();
        await server.faults.restartEmpty();
      },
    },
    doors: {
      auth: () => tokensDoor(server),
      tls: () =>
        certificateDoor({
          folder: server.folder,
          dnsNames: ['server.dc1.consul'],
          start: (tls) => server.beside({ tls }),
          open: (address, tls) => open(runtime, address, { tls }),
        }),
      ipv6: () => server.ipv6Door((address) => open(runtime, address)),
    },
    end: () => server.end(),
  });
}

/** A server where nobody may do anything without a token: one that may use services, and one that may not. */
async function tokensDoor(server: OwnServer<ConsulOptions>): Promise<RegistryDoor> {
  const address = await server.beside({ managementToken: management });
  const make = async (what: string, json: object): Promise<{ SecretID: string }> => {
    const answer = await fetch(`http://${address.host}:${address.port}/v1/acl/${what}`, {
      method: 'PUT',
      headers: { 'x-consul-token': management },
      body: JSON.stringify(json),
    });
    if (!answer.ok) throw new Error(`${what}: ${await answer.text()}`);
    return (await answer.json()) as { SecretID: string };
  };
  const rules = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }';
  await make('policy', { Name: 'registry', Rules: rules });
  const able = await make('token', { Policies: [{ Name: 'registry' }] });
  const unable = await make('token', {});
  const as = (token: string): Registry => open(runtime, address, { token });
  return {
    right: async () => as(able.SecretID),
    wrong: async () => ({
      'a token that is none': as('00000000-0000-0000-0000-00000000dead'),
      'no token': open(runtime, address),
      'a token without the right': as(unable.SecretID),
    }),
  };
}
