import { HeddleError } from '@heddle/kernel';
import type { Health } from '../../registry/instance.ts';
import type { LeaseClient } from '../../registry/lease-client.ts';
import { leaseLost, leaseSuperseded } from '../../registry/lease-error.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import type { ZooKeeperClient } from './client/client.ts';
import { type Access, modes, type Stat } from './jute/requests.ts';
import { decodeNode, encodeNode, type RegistryTree } from './tree.ts';

/** Others may change what we look at while we do; each time is another try. */
const tries = 10;
const races: ReadonlySet<string> = new Set(['NODE_EXISTS', 'NO_NODE', 'BAD_VERSION']);

interface Found {
  readonly leased: { readonly instance: LeasedInstance['instance']; readonly lease: string } | undefined;
  readonly stat: Stat;
}

/** Leases as ephemeral nodes: each ends with the session of the process that made it. */
export function zooKeeperLeases(client: ZooKeeperClient, tree: RegistryTree, access: Access): LeaseClient {
  const find = async (service: string, id: string): Promise<Found | undefined> => {
    try {
      const { bytes, stat } = await client.data(tree.instance(service, id));
      return { leased: decodeNode(service, bytes, stat.mtimeMs), stat };
    } catch (thrown) {
      if (HeddleError.from(thrown).reason === 'NO_NODE') return undefined;
      throw thrown;
    }
  };
  const putOnce = async (leased: LeasedInstance, fresh: boolean): Promise<void> => {
    const { service, id } = leased.instance;
    const path = tree.instance(service, id);
    const data = encodeNode(leased);
    const create = { kind: 'create', path, data, mode: modes.ephemeral, access } as const;
    const found = await find(service, id);
    if (found === undefined) {
      await makeAbove(client, tree, service, access);
      await client.change(create);
      return;
    }
    if (!fresh && found.leased?.lease !== leased.lease) throw leaseSuperseded(service, id);
    const { version, owner } = found.stat;
    const { session } = await client.connected();
    if (owner === session.id) await client.change({ kind: 'setData', path, data, version });
    // Another session's node ends with that, whoever has written it last.
    else await client.changeAll([{ kind: 'delete', path, version }, create]);
  };
  return {
    put: (leased, fresh) => persistently(() => putOnce(leased, fresh)),
    renew: async (service: string, id: string, lease: string, health: Health | undefined): Promise<void> => {
      const found = await find(service, id);
      const { session } = await client.connected();
      const { leased } = found ?? {};
      if (found === undefined) throw leaseLost(service, id);
      if (leased?.lease !== lease) throw leaseSuperseded(service, id);
      if (found.stat.owner !== session.id) throw leaseLost(service, id);
      if (health === undefined || health === leased.instance.health) return;
      const data = encodeNode({ instance: { ...leased.instance, health }, lease, ttlMs: 0 });
      const path = tree.instance(service, id);
      await client.change({ kind: 'setData', path, data, version: found.stat.version });
    },
    remove: (service, id, lease) =>
      persistently(async () => {
        const found = await find(service, id);
        if (found === undefined) return;
        if (found.leased?.lease !== lease) throw leaseSuperseded(service, id);
        await client.change({
          kind: 'delete',
          path: tree.instance(service, id),
          version: found.stat.version,
        });
      }),
  };
}

async function persistently(work: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await work();
      return;
    } catch (thrown) {
      if (tried === tries || !races.has(HeddleError.from(thrown).reason)) throw thrown;
    }
  }
}

const nothing = new Uint8Array(0);

/** The root stays; a service's node goes by itself some time after its last instance. */
async function makeAbove(
  client: ZooKeeperClient,
  tree: RegistryTree,
  service: string,
  access: Access,
): Promise<void> {
  const paths = tree.above(service);
  if ((await client.stat(tree.service(service))) !== undefined) return;
  for (const [at, path] of paths.entries()) {
    const mode = at === paths.length - 1 ? modes.container : modes.persistent;
    try {
      await client.change({ kind: 'create', path, data: nothing, mode, access });
    } catch (thrown) {
      // One above a chroot may not be ours to make, and is there.
      const { reason } = HeddleError.from(thrown);
      if (reason !== 'NODE_EXISTS' && !(reason === 'NO_AUTH' && mode === modes.persistent)) throw thrown;
    }
  }
}
