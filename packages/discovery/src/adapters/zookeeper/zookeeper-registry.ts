import { type Address, HeddleError, type Runtime, type TlsConnectOptions } from '@heddle/kernel';
import { backendRegistry } from '../../registry/backend-registry.ts';
import { History } from '../../registry/history.ts';
import { authorityOf } from '../../health/probe/authority.ts';
import type { LeaseKeeper } from '../../registry/lease-keeper.ts';
import type { Registry } from '../../registry/registry.ts';
import { ZooKeeperClient } from './client/client.ts';
import type { Credentials } from './client/connection.ts';
import { findInstances, followService } from './follow-service.ts';
import type { Session } from './jute/requests.ts';
import { RegistryTree } from './tree.ts';
import { zooKeeperLeases } from './zookeeper-leases.ts';

/** How ZooKeeper is used. */
export interface ZooKeeperRegistryOptions {
  readonly runtime: Runtime;
  /** Servers of one ensemble, at least one; the first that answers is used. */
  readonly addresses: readonly Address[];
  /** Where everything of ours is, e.g. `/prod`; must begin with a slash. Default: the root. */
  readonly chroot?: string;
  /** Below it, where the services are. Default `/heddle/registry`. */
  readonly path?: string;
  /**
   * Sent by the scheme `digest`. What is made with them may be read and changed only with them; without them, by
   * everybody. Over TLS only, if others can listen: the password is sent as it is.
   */
  readonly credentials?: Credentials;
  /** Speak TLS, which the server has at a port of its own. */
  readonly tls?: TlsConnectOptions;
  /** Of what this process registers: the time-out of its session. Default 10000; a server has limits (`minSessionTimeout`). */
  readonly ttlMs?: number;
  /** Deadline of each request. Default 6000. */
  readonly timeoutMs?: number;
  /** Keeps the session while this thread cannot. Default: nothing does; `@heddle/discovery/zookeeper` gives a thread. */
  readonly keeper?: LeaseKeeper;
  /** Hears of each session that begins, with its password. For a keeper. */
  readonly onSession?: (session: Session) => void;
}

/**
 * A registry in ZooKeeper, by its own protocol: each instance is an ephemeral node that ends with the session of its
 * process, and a watch is one of ZooKeeper's. `lastHeartbeatMs` is when the node was written, for sessions are renewed
 * where nobody sees it. Asks nothing until it is used.
 */
export function zooKeeperRegistry(options: ZooKeeperRegistryOptions): Registry {
  const { runtime, addresses, chroot = '', path = '/heddle/registry', credentials, tls } = options;
  const { ttlMs = 10_000, timeoutMs = 6000, keeper, onSession } = options;
  const tree = new RegistryTree(`${chroot}${path}`);
  const history = new History(runtime.clock);
  const client = new ZooKeeperClient({
    runtime,
    servers: { addresses, tls, credentials },
    sessionMs: ttlMs,
    timeoutMs,
    onNewHistory: () => history.beginAnew(),
    ...(onSession !== undefined && { onSession }),
  });
  const access = credentials === undefined ? 'everybody' : 'creator';
  return backendRegistry(
    {
      name: 'zookeeper',
      places: addresses.map((address) => `zookeeper ${authorityOf(address)}${chroot}${path}`),
      leases: zooKeeperLeases(client, tree, access),
      find: async (service) => ({ instances: await findInstances(client, tree, service) }),
      follow: (service, call) => followService(client, tree, service, call),
      services: () => servicesOf(client, tree),
      close: () => void client.close(),
    },
    { runtime, ttlMs, keeper, history },
  );
}

async function servicesOf(client: ZooKeeperClient, tree: RegistryTree): Promise<string[]> {
  let names: readonly string[];
  try {
    names = await client.children(tree.root);
  } catch (thrown) {
    if (HeddleError.from(thrown).reason === 'NO_NODE') return [];
    throw thrown;
  }
  const stats = await Promise.all(names.map((name) => client.stat(tree.service(name))));
  return names.filter((_, at) => (stats[at]?.children ?? 0) > 0);
}
