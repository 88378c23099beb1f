// What an adapter costs over its own client, used by hand for the same work on the same server in turns.
import { randomUUID } from 'node:crypto';
import { EtcdClient } from '../../packages/discovery/src/adapters/etcd/etcd-client.ts';
import { EtcdKeys } from '../../packages/discovery/src/adapters/etcd/etcd-keys.ts';
import { leaseNumber } from '../../packages/discovery/src/adapters/etcd/etcd-leases.ts';
import { median } from '../measure.ts';
import { type Contender, ttlMs } from './contender.ts';
import { allInstances, clientRuntime, crowd, type Pace, registered } from './work.ts';

/** Registrations and readings a second. */
export interface Rates {
  readonly register: number;
  readonly resolve: number;
}

/** Medians of the adapter's and the client's rates, at etcd. */
export async function etcdBesideRaw(etcd: Contender, pace: Pace): Promise<{ adapter: Rates; raw: Rates }> {
  const server = await etcd.start();
  const runtime = clientRuntime();
  const client = new EtcdClient({ runtime, addresses: [server.address], timeoutMs: 30_000 });
  const all = allInstances(Math.max(1, Math.floor(pace.services / 10)));
  const adapterRates: Rates[] = [];
  const rawRates: Rates[] = [];
  try {
    for (let round = 0; round < 2 * pace.rounds + 1; round++) {
      const turns = [
        async () => void adapterRates.push(await adapterTurn(etcd, server.address, all, pace)),
        async () => void rawRates.push(await rawTurn(client, new EtcdKeys(`/raw${round}`), all, pace)),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
  } finally {
    runtime.die();
    client.close();
    await server.stop();
  }
  // The first round warms both up.
  return { adapter: medianRates(adapterRates.slice(1)), raw: medianRates(rawRates.slice(1)) };
}

type Instances = ReturnType<typeof allInstances>;

async function adapterTurn(
  etcd: Contender,
  address: Parameters<Contender['open']>[1],
  all: Instances,
  { resolveMs }: Pace,
): Promise<Rates> {
  const runtime = clientRuntime();
  const registry = etcd.open(runtime, address);
  const register = await crowd(all, 60_000, (one) => registered(registry, one));
  const resolve = await crowd(endless(all), resolveMs, async ({ service }) => {
    await registry.instances(service);
  });
  await registry.close();
  runtime.die();
  return { register: rateOf(register), resolve: rateOf(resolve) };
}

/** A lease, a transaction that puts the entry; a range that is parsed. */
async function rawTurn(
  client: EtcdClient,
  keys: EtcdKeys,
  all: Instances,
  { resolveMs }: Pace,
): Promise<Rates> {
  const register = await crowd(all, 60_000, async (one) => {
    const lease = leaseNumber(randomUUID());
    await client.grant(lease, ttlMs);
    const key = keys.of({ service: one.service, id: `${one.service}@${one.address}:${one.port}` });
    const value = new TextEncoder().encode(JSON.stringify(one));
    await client.txn({ success: [{ request: { case: 'requestPut', value: { key, value, lease } } }] });
  });
  const resolve = await crowd(endless(all), resolveMs, async ({ service }) => {
    const { kvs } = await client.range(keys.ofService(service));
    for (const { value } of kvs) JSON.parse(new TextDecoder().decode(value));
  });
  return { register: rateOf(register), resolve: rateOf(resolve) };
}

function endless(all: Instances): Instances {
  return Array.from({ length: 1_000_000 }, (_, at) => all[at % all.length] as Instances[number]);
}

function rateOf({ done, tookMs }: { readonly done: number; readonly tookMs: number }): number {
  return (done * 1000) / tookMs;
}

function medianRates(rates: readonly Rates[]): Rates {
  return {
    register: median(rates.map(({ register }) => register)),
    resolve: median(rates.map(({ resolve }) => resolve)),
  };
}
