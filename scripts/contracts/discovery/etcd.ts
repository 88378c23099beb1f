// etcd, by its gRPC API: a real server for each case that breaks one, and one that the others share by prefixes.
import { writeFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Registry } from '@heddle/discovery';
import { type EtcdRegistryOptions, etcdRegistry } from '@heddle/discovery/etcd';
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
import { lastWords, run } from '../../engines/command.ts';
import { obtain, type Place, required, type Running } from '../../engines/engine.ts';
import { type EtcdOptions, etcd, etcdctl } from '../../engines/etcd.ts';
import { freePort } from '../../engines/running.ts';
import type { Contract } from '../result.ts';
import { blockedProcessCase, type ClientProgram } from './blocked-process.ts';
import { discoveryContract } from './suite.ts';

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
  options: (address, leaseMs) => ({ addresses: [address], ttlMs: leaseMs, timeoutMs: 2000 }),
};

/** On the real server. */
export const etcdContract: Contract = discoveryContract({
  backend: 'etcd',
  prepare: () => obtain(etcd),
  stages: { '': (one: RegistryCase) => (one.needs === undefined ? onShared() : onOwn()) },
  more: [blockedProcessCase(clientProgram)],
  end: async () => {
    await (await shared)?.stop();
  },
});

async function onShared(): Promise<RegistryStage> {
  shared ??= etcd.start({});
  const server = await shared;
  const prefix = `/case${prefixes++}`;
  return serverStage({
    runtime,
    ttlMs,
    target: () => server.address,
    open: (own, address) => open(own, address, { prefix }),
    end: async () => {},
  });
}

async function onOwn(): Promise<RegistryStage> {
  const parent = dataFolder('etcd-case');
  const server = new EtcdProcess(parent);
  await server.start({ empty: true });
  const others: Running[] = [];
  const beside = async (options: EtcdOptions): Promise<Running> => {
    const other = await etcd.start(options);
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
      forgetHistory: async () => server.compact(),
    },
    doors: {
      auth: () => withUsers(beside),
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

/** One etcd at one address, which can be killed and come back with what it had. */
class EtcdProcess {
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
    this.#running = await etcd.start({ address: this.address, folder: this.#folder });
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
  }

  /** Forgets all but the present. */
  async compact(): Promise<void> {
    const said = await control(this.address, ['endpoint', 'status', '--write-out=json']);
    const [status] = JSON.parse(said) as [{ Status: { header: { revision: number } } }];
    await control(this.address, ['compaction', '--physical', String(status.Status.header.revision)]);
  }
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

/** A server with users: one that may write below /registry, and one that may not. */
async function withUsers(beside: (options: EtcdOptions) => Promise<Running>): Promise<RegistryDoor> {
  const { address } = await beside({});
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

/** A server that wants certificates of its clients. */
async function withCertificates(
  folder: string,
  beside: (options: EtcdOptions) => Promise<Running>,
): Promise<RegistryDoor> {
  const nowMs = runtime.clock.wallMs();
  const authority = new TestAuthority('etcd', nowMs);
  const stranger = new TestAuthority('stranger', nowMs);
  const server = authority.issue({ addresses: ['127.0.0.1'] });
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
      'no TLS': open(runtime, address),
    }),
  };
}
