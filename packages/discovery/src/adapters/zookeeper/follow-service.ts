import { type Call, HeddleError } from '@heddle/kernel';
import type { Instance } from '../../registry/instance.ts';
import type { FeedState } from '../../registry/state-feed.ts';
import type { ZooKeeperClient } from './client/client.ts';
import type { ZooKeeperConnection } from './client/connection.ts';
import { decodeNode, type RegistryTree } from './tree.ts';

/** Reads a service's instances once. */
export async function findInstances(
  client: ZooKeeperClient,
  tree: RegistryTree,
  service: string,
): Promise<Instance[]> {
  const names = await childrenOf(client, tree.service(service));
  const found = await Promise.all(names.map((name) => read(client, tree, service, name)));
  return found.flatMap((node) => node?.instance ?? []);
}

/**
 * Follows a service on one connection. A watch of ZooKeeper fires once and is set by the read that it guards: so every
 * change since the last read is told, and what is told is read again with a new watch. Ends with the connection.
 * ZooKeeper's own numbers do not tell two such readings apart, so that the feed counts them.
 */
export async function* followService(
  client: ZooKeeperClient,
  tree: RegistryTree,
  service: string,
  call: Call,
): AsyncGenerator<FeedState, void> {
  const on = await client.connected();
  const path = tree.service(service);
  const known = new Map<string, Instance | undefined>();
  const changed = new Set<string>();
  const changes = new Changes(call);
  const stop = client.listen(path, {
    notified: (notification) => {
      // What is being read at this moment may be older than the news: so it is read once more.
      changed.add(notification.path.slice(path.length + 1));
      changes.note();
    },
    lost: (error) => changes.fail(error),
  });
  try {
    for (;;) {
      const names = await childrenOf(client, path, on);
      const present = new Set(names);
      for (const name of known.keys()) if (!present.has(name)) known.delete(name);
      const wanted = names.filter((name) => !known.has(name) || changed.has(name));
      changed.clear();
      const found = await Promise.all(wanted.map((name) => read(client, tree, service, name, on)));
      for (const [at, name] of wanted.entries()) {
        const node = found[at];
        // No watch guards what is not there: the next list will say whether it has come back.
        if (node === undefined) known.delete(name);
        else known.set(name, node.instance);
      }
      const instances = [...known.values()].filter((instance) => instance !== undefined);
      yield { instances };
      await changes.next();
    }
  } finally {
    stop();
    changes.end();
  }
}

async function childrenOf(
  client: ZooKeeperClient,
  path: string,
  on?: ZooKeeperConnection,
): Promise<string[]> {
  // A node that comes or goes between two of these is asked for again.
  for (;;) {
    try {
      return await client.children(path, on);
    } catch (thrown) {
      if (HeddleError.from(thrown).reason !== 'NO_NODE') throw thrown;
    }
    if (on === undefined || (await client.stat(path, on)) === undefined) return [];
  }
}

/** Undefined if there is no such node; without an instance if it is somebody else's. */
async function read(
  client: ZooKeeperClient,
  tree: RegistryTree,
  service: string,
  name: string,
  on?: ZooKeeperConnection,
): Promise<{ readonly instance: Instance | undefined } | undefined> {
  try {
    const { bytes, stat } = await client.data(`${tree.service(service)}/${name}`, on);
    return { instance: decodeNode(service, bytes, stat.mtimeMs)?.instance };
  } catch (thrown) {
    if (HeddleError.from(thrown).reason === 'NO_NODE') return undefined;
    throw thrown;
  }
}

/** Remembers that something has changed until somebody asks. */
class Changes {
  #pending = false;
  #failed: HeddleError | undefined;
  #wake: (() => void) | undefined;
  readonly #stop: () => void;

  constructor(call: Call) {
    this.#stop = call.onCancel((error) => this.fail(error));
  }

  note(): void {
    this.#pending = true;
    this.#wake?.();
  }

  fail(error: HeddleError): void {
    this.#failed ??= error;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#pending && this.#failed === undefined)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#wake = undefined;
    this.#pending = false;
    if (this.#failed !== undefined) throw this.#failed;
  }

  end(): void {
    this.#stop();
  }
}
