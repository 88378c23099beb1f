// The clients under the adapters, used by hand: only what the work needs, with the same entries on the same server.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { instance, type InstanceInit } from '@heddle/discovery';
import type { Address, Runtime } from '@heddle/kernel';
import { ConsulClient } from '../../packages/discovery/src/adapters/consul/consul-client.ts';
import { EtcdClient } from '../../packages/discovery/src/adapters/etcd/etcd-client.ts';
import { EtcdKeys } from '../../packages/discovery/src/adapters/etcd/etcd-keys.ts';
import { leaseNumber } from '../../packages/discovery/src/adapters/etcd/etcd-leases.ts';
import { NacosClient } from '../../packages/discovery/src/adapters/nacos/nacos-client.ts';
import { ttlMs } from './contender.ts';

const timeoutMs = 30_000;

/** A client by hand. */
export interface RawClient {
  /** Registers; resolves when whoever asks the server sees the instance, as the adapter's does. */
  register(init: InstanceInit): Promise<void>;
  /** Where the instances of a service are. */
  resolve(service: string): Promise<readonly string[]>;
  close(): void;
}

type Open = (runtime: Runtime, address: Address) => RawClient;

/** By the name of the contender. */
export const rawClients: Readonly<Record<string, Open>> = { etcd, consul, nacos };

/** A lease, a transaction that puts the entry; a range that is parsed. */
function etcd(runtime: Runtime, address: Address): RawClient {
  const client = new EtcdClient({ runtime, addresses: [address], timeoutMs });
  const keys = new EtcdKeys('/registry');
  return {
    register: async (init) => {
      const lease = leaseNumber(randomUUID());
      await client.grant(lease, ttlMs);
      const stated = { ...instance(init), lastHeartbeatMs: Date.now() };
      const value = new TextEncoder().encode(JSON.stringify(stated));
      const put = { key: keys.of(stated), value, lease };
      await client.txn({ success: [{ request: { case: 'requestPut', value: put } }] });
    },
    resolve: async (service) => {
      const { kvs } = await client.range(keys.ofService(service));
      return kvs.map(({ value }) => placeOf(JSON.parse(new TextDecoder().decode(value)) as Place));
    },
    close: () => client.close(),
  };
}

/** An entry with a TTL check, then the question whether the servers show it; the health API, parsed. */
function consul(runtime: Runtime, address: Address): RawClient {
  const client = new ConsulClient({ runtime, addresses: [address], timeoutMs });
  const entries = async (service: string): Promise<readonly ConsulEntry[]> => {
    const { text } = await client.ask({ method: 'GET', path: `/v1/health/service/${service}` });
    return JSON.parse(text) as ConsulEntry[];
  };
  return {
    register: async ({ service, address: host, port, version = '', zone = '' }) => {
      const id = `${service}:${host}:${port}`;
      const json = {
        ID: id,
        Name: service,
        Address: host,
        Port: port,
        Meta: { version, zone, region: 'default', state: 'running', protocol: 'grpc', health: 'unknown' },
        Weights: { Passing: 100, Warning: 100 },
        Checks: [{ CheckID: `lease:${id}`, TTL: `${ttlMs}ms`, Status: 'passing' }],
      };
      await client.ask({ method: 'PUT', path: '/v1/agent/service/register', json });
      await shown(async () => (await entries(service)).some(({ Service }) => Service.ID === id));
    },
    resolve: async (service) =>
      (await entries(service)).map(({ Service: { Address: host, Port: port } }) =>
        placeOf({ address: host, port }),
      ),
    close: () => client.close(),
  };
}

interface ConsulEntry {
  readonly Service: { readonly ID: string; readonly Address: string; readonly Port: number };
}

/** A batch of one's own instances of the service, then the question whether the server shows it; a query. */
function nacos(runtime: Runtime, address: Address): RawClient {
  const client = new NacosClient(runtime, { addresses: [address], timeoutMs }, () => {});
  const published = new Map<string, object[]>();
  const sent = new Map<string, Promise<unknown>>();
  const hosts = async (service: string): Promise<readonly NacosHost[]> =>
    ((await client.query(service)).hosts ?? []) as readonly NacosHost[];
  return {
    register: async ({ service, address: ip, port, version = '', zone = '' }) => {
      const metadata = { version, zone, region: 'default', state: 'running', protocol: 'grpc' };
      const own = published.get(service) ?? [];
      published.set(service, own);
      own.push({ ip, port, weight: 1, healthy: true, enabled: true, ephemeral: true, metadata });
      const json = { serviceName: service, type: 'batchRegisterInstance', instances: own };
      // One after the other: a batch that is overtaken would take back what came with the later one.
      const turn = (sent.get(service) ?? Promise.resolve()).then(() =>
        client.ask('BatchInstanceRequest', json),
      );
      sent.set(service, turn);
      await turn;
      await shown(async () => (await hosts(service)).some((host) => host.ip === ip));
    },
    resolve: async (service) => (await hosts(service)).map((host) => placeOf({ ...host, address: host.ip })),
    close: () => client.close(),
  };
}

interface NacosHost {
  readonly ip: string;
  readonly port: number;
}

/** Asks until it is so. */
async function shown(isShown: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (let pauseMs = 2; !(await isShown()); pauseMs = Math.min(100, 2 * pauseMs)) {
    if (performance.now() > endMs) throw new Error('registered, but not shown in time');
    await sleep(pauseMs);
  }
}

interface Place {
  readonly address: string;
  readonly port: number;
}

function placeOf({ address, port }: Place): string {
  return `${address}:${port}`;
}
