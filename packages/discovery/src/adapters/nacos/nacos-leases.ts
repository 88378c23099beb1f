import { type Runtime, sleep } from '@heddle/kernel';
import type { Health, Instance } from '../../registry/instance.ts';
import type { LeaseClient } from '../../registry/lease-client.ts';
import { leaseLost, leaseSuperseded } from '../../registry/lease-error.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import type { NacosClient } from './nacos-client.ts';
import {
  compareHolders,
  decodeInstance,
  encodeInstance,
  type Holder,
  type ReadNacosInstance,
} from './nacos-instance.ts';
import type { Publisher } from './publisher.ts';

// A server shows a change when it is about to push it: half a second later, unless it was told otherwise.
const shownWithinMs = 1500;
const lookAgainMs = 20;

/** What leases at Nacos are made with. */
export interface NacosLeasesOptions {
  readonly runtime: Runtime;
  readonly client: NacosClient;
  readonly publisher: Publisher;
  readonly cluster: string;
  /** False: entries stay when their process dies, and the server checks them itself. */
  readonly ephemeral: boolean;
}

/** Leases at Nacos: an entry is there for as long as the connection on which it was published. */
export function nacosLeases(options: NacosLeasesOptions): LeaseClient {
  const { runtime, client, publisher, cluster, ephemeral } = options;
  const held = new Map<string, Holder & { readonly instance: Instance }>();
  const keyOf = (service: string, id: string): string => `${service}/${id}`;
  const entriesOf = async (service: string, id: string): Promise<ReadNacosInstance[]> => {
    const { hosts = [] } = await client.query(service);
    return hosts
      .flatMap((host) => decodeInstance(service, host, runtime.clock.wallMs()) ?? [])
      .filter(({ instance }) => instance.id === id);
  };
  const publish = async (instance: Instance, holder: Holder): Promise<void> => {
    const { service, id } = instance;
    const entry = encodeInstance(instance, holder, cluster, ephemeral);
    held.set(keyOf(service, id), { ...holder, instance });
    if (ephemeral) await publisher.set(service, id, entry);
    else
      await client.ask('PersistentInstanceRequest', {
        serviceName: service,
        type: 'registerInstance',
        instance: entry,
      });
  };
  const withdraw = async (service: string, id: string): Promise<void> => {
    const mine = held.get(keyOf(service, id));
    held.delete(keyOf(service, id));
    if (ephemeral) await publisher.remove(service, id);
    else if (mine !== undefined) {
      const entry = encodeInstance(mine.instance, mine, cluster, false);
      await client.ask('PersistentInstanceRequest', {
        serviceName: service,
        type: 'deregisterInstance',
        instance: entry,
      });
    }
  };
  /** Waits until the server shows it, so that whoever is told of success also sees it. */
  const shown = async (
    service: string,
    id: string,
    isShown: (entries: readonly ReadNacosInstance[]) => boolean,
  ): Promise<void> => {
    const endMs = runtime.clock.nowMs() + shownWithinMs;
    while (runtime.clock.nowMs() < endMs && !isShown(await entriesOf(service, id)))
      await sleep(runtime.timers, lookAgainMs);
  };
  return {
    put: async ({ instance, lease }: LeasedInstance, fresh) => {
      const { service, id } = instance;
      const others = (await entriesOf(service, id)).filter((entry) => entry.lease !== lease);
      const mine = held.get(keyOf(service, id));
      const isBeaten = others.some((other) => mine === undefined || compareHolders(other, mine) > 0);
      if (!fresh && isBeaten) throw leaseSuperseded(service, id);
      const latestMs = Math.max(0, ...others.map(({ sinceMs }) => sinceMs));
      const sinceMs =
        mine?.lease === lease ? mine.sinceMs : Math.max(Math.floor(runtime.clock.wallMs()), latestMs + 1);
      await publish(instance, { lease, sinceMs });
      const text = signOf(instance);
      await shown(service, id, (entries) =>
        entries.some((entry) => entry.lease === lease && signOf(entry.instance) === text),
      );
    },
    renew: async (service: string, id: string, lease: string, health: Health | undefined) => {
      const entries = await entriesOf(service, id);
      const mine = held.get(keyOf(service, id));
      const own = entries.find((entry) => entry.lease === lease);
      if (
        entries.some(
          (entry) => entry.lease !== lease && (mine === undefined || compareHolders(entry, mine) > 0),
        )
      ) {
        await withdraw(service, id);
        throw leaseSuperseded(service, id);
      }
      if (own === undefined || mine === undefined) throw leaseLost(service, id);
      if (health === undefined || health === mine.instance.health) return;
      await publish({ ...mine.instance, health }, mine);
      await shown(service, id, (found) =>
        found.some((entry) => entry.lease === lease && entry.instance.health === health),
      );
    },
    remove: async (service, id, lease) => {
      await withdraw(service, id);
      await shown(service, id, (entries) => !entries.some((entry) => entry.lease === lease));
    },
  };
}

/** All that is stated of an instance, as text. */
function signOf({ lastHeartbeatMs: _, ...stated }: Instance): string {
  return JSON.stringify([
    ...Object.entries({ ...stated, metadata: undefined }).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ...Object.entries(stated.metadata).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
