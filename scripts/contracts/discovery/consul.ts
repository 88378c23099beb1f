// Consul, by its HTTP API: a real server for each case that breaks one, and one after another on a shared one for the
// rest, since the community edition has no namespaces that could keep them apart.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Registry } from '@heddle/discovery';
import { type ConsulRegistryOptions, consulRegistry } from '@heddle/discovery/consul';
import {
  type RegistryCase,
  type RegistryDoor,
  type RegistryStage,
  serverStage,
} from '@heddle/discovery/testing';
import type { Address, Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { dataFolder } from '../../engines/cache.ts';
import { type ConsulOptions, consul } from '../../engines/consul.ts';
import { obtain, type Place, type Running } from '../../engines/engine.ts';
import { freePort } from '../../engines/running.ts';
import type { Contract } from '../result.ts';
import { blockedProcessCase, type ClientProgram } from './blocked-process.ts';
import { discoveryContract } from './suite.ts';

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
  options: (address, leaseMs) => ({ addresses: [address], ttlMs: leaseMs, timeoutMs: 2000 }),
};

/** On the real server. */
export const consulContract: Contract = discoveryContract({
  backend: 'consul',
  prepare: () => obtain(consul),
  stages: { '': (one: RegistryCase) => (one.needs === undefined ? onShared() : onOwn()) },
  more: [blockedProcessCase(clientProgram)],
  end: async () => {
    await Promise.all(shared.map(async (server) => (await server).stop()));
    shared = [];
    idle.length = 0;
  },
});

/** One of the servers that no case uses at the moment. */
async function onShared(): Promise<RegistryStage> {
  const server = idle.pop() ?? (await startShared());
  return serverStage({
    runtime,
    ttlMs,
    target: () => server.address,
    open,
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

async function onOwn(): Promise<RegistryStage> {
  const parent = dataFolder('consul-case');
  const server = new ConsulProcess(parent);
  await server.start({ empty: true });
  const others: Running[] = [];
  const beside = async (options: ConsulOptions): Promise<Running> => {
    const other = await consul.start(options);
    others.push(other);
    return other;
  };
  return serverStage({
    runtime,
    ttlMs,
    target: () => server.address,
    open,
    faults: {
      kill: () => server.kill(),
      restart: () => server.start({ empty: false }),
      restartEmpty: () => server.start({ empty: true }),
      // What Consul has as history is the index, which begins anew with its data.
      forgetHistory: async () => {
        await server.kill();
        await server.start({ empty: true });
      },
    },
    doors: {
      auth: () => withTokens(beside),
      tls: () => withCertificates(parent, beside),
      ipv6: async () => {
        const { address } = await beside({ address: { host: '::1', port: await freePort() } });
        return { right: async () => open(runtime, address), wrong: async () => ({}) };
      },
    },
    end: async () => {
      await server.kill();
      await Promise.all(others.map((other) => other.stop()));
      rmSync(parent, { recursive: true });
    },
  });
}

/** One Consul at one address, which can be killed and come back with what it had. */
class ConsulProcess {
  address: Place = { host: '127.0.0.1', port: 0 };
  readonly #parent: string;
  #folder = '';
  #starts = 0;
  #running: Running | undefined;

  constructor(parent: string) {
    this.#parent = parent;
  }

  async start({ empty }: { empty: boolean }): Promise<void> {
    if (empty) this.#folder = path.join(this.#parent, `data-${this.#starts++}`);
    if (this.address.port === 0) this.address = { host: '127.0.0.1', port: await freePort() };
    this.#running = await consul.start({ address: this.address, folder: this.#folder });
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
  }
}

/** A server where nobody may do anything without a token: one that may use services, and one that may not. */
async function withTokens(beside: (options: ConsulOptions) => Promise<Running>): Promise<RegistryDoor> {
  const { address } = await beside({ managementToken: management });
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

/** A server that wants certificates of its clients. */
async function withCertificates(
  folder: string,
  beside: (options: ConsulOptions) => Promise<Running>,
): Promise<RegistryDoor> {
  const nowMs = runtime.clock.wallMs();
  const authority = new TestAuthority('consul', nowMs);
  const stranger = new TestAuthority('stranger', nowMs);
  const server = authority.issue({ addresses: ['127.0.0.1'], dnsNames: ['server.dc1.consul'] });
  const client = authority.issue({ subject: 'heddle' });
  const files = { cert: server.certificates, key: server.privateKey, ca: authority.certificate };
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  const { address } = await beside({
    tls: { cert: path.join(folder, 'cert'), key: path.join(folder, 'key'), ca: path.join(folder, 'ca') },
  });
  const trusting = (trust: string, identities: (typeof client)[]): Registry =>
    open(runtime, address, { tls: { source: { current: { trust, identities } } } });
  return {
    right: async () => trusting(authority.certificate, [client]),
    wrong: async () => ({
      'no trust in the server': trusting(stranger.certificate, [client]),
      'no certificate': trusting(authority.certificate, []),
      'a certificate of another authority': trusting(authority.certificate, [
        stranger.issue({ subject: 'heddle' }),
      ]),
    }),
  };
}
