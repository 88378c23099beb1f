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
const [firstLookMs, longestLookMs] = [20, 160];

/** What leases at Nacos are made with. */
export interface NacosLeasesOptions {
  readonly runtime: Runtime;
  readonly client: NacosClient;
  readonly publisher: Publisher;
  readonly cluster: string;
  /** False: entries stay when their process dies, and the server checks them itself. */
  readonly ephemeral: boolean;
  /** This thread has just had to do with the server: what a lease thread has published for it may go. */
  readonly onAlive: () => void;
}

interface Held extends Holder {
  readonly instance: Instance;
}

/** Leases at Nacos: an entry is there for as long as the connection on which it was published. */
export function nacosLeases(options: NacosLeasesOptions): LeaseClient {
  return new NacosLeases(options);
}

class NacosLeases implements LeaseClient {
  readonly #options: NacosLeasesOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: NacosLeasesOptions) {
    this.#options = options;
  }

  async put({ instance, lease }: LeasedInstance, fresh: boolean): Promise<void> {
    const { service, id } = instance;
    const others = (await this.#entriesOf(service, id)).filter((entry) => entry.lease !== lease);
    const mine = this.#held.get(keyOf(service, id));
    if (!fresh && others.some((other) => isBeaten(mine, other))) throw leaseSuperseded(service, id);
    const latestMs = Math.max(0, ...others.map(({ sinceMs }) => sinceMs));
    const nowMs = Math.max(Math.floor(this.#options.runtime.clock.wallMs()), latestMs + 1);
    await this.#publish(instance, { lease, sinceMs: mine?.lease === lease ? mine.sinceMs : nowMs });
    const text = signOf(instance);
    await this.#shown(service, id, (entries) =>
      entries.some((entry) => isOwn(entry, lease) && signOf(entry.instance) === text),
    );
    this.#options.onAlive();
  }

  async renew(service: string, id: string, lease: string, health: Health | undefined): Promise<void> {
    const entries = await this.#entriesOf(service, id);
    const mine = this.#held.get(keyOf(service, id));
    if (entries.some((entry) => entry.lease !== lease && isBeaten(mine, entry))) {
      await this.#withdraw(service, id);
      throw leaseSuperseded(service, id);
    }
    if (mine === undefined || !entries.some((entry) => isOwn(entry, lease))) throw leaseLost(service, id);
    this.#options.onAlive();
    if (health === undefined || health === mine.instance.health) return;
    await this.#publish({ ...mine.instance, health }, mine);
    await this.#shown(service, id, (found) =>
      found.some((entry) => isOwn(entry, lease) && entry.instance.health === health),
    );
  }

  async remove(service: string, id: string, lease: string): Promise<void> {
    await this.#withdraw(service, id);
    this.#options.onAlive();
    await this.#shown(service, id, (entries) => !entries.some((entry) => entry.lease === lease));
  }

  async #entriesOf(service: string, id: string): Promise<ReadNacosInstance[]> {
    const { client, runtime } = this.#options;
    const { hosts = [] } = await client.query(service);
    return hosts
      .flatMap((host) => decodeInstance(service, host, runtime.clock.wallMs()) ?? [])
      .filter(({ instance }) => instance.id === id);
  }

  async #publish(instance: Instance, { lease, sinceMs }: Holder): Promise<void> {
    const { publisher, cluster, ephemeral } = this.#options;
    const { service, id } = instance;
    const entry = encodeInstance(instance, { lease, sinceMs }, cluster, ephemeral);
    this.#held.set(keyOf(service, id), { lease, sinceMs, instance });
    if (ephemeral) await publisher.set(service, id, entry);
    else await this.#askPersistent(service, 'registerInstance', entry);
  }

  async #withdraw(service: string, id: string): Promise<void> {
    const { publisher, cluster, ephemeral } = this.#options;
    const mine = this.#held.get(keyOf(service, id));
    this.#held.delete(keyOf(service, id));
    if (ephemeral) await publisher.remove(service, id);
    else if (mine !== undefined)
      await this.#askPersistent(
        service,
        'deregisterInstance',
        encodeInstance(mine.instance, mine, cluster, false),
      );
  }

  async #askPersistent(serviceName: string, type: string, instance: object): Promise<void> {
    await this.#options.client.ask('PersistentInstanceRequest', { serviceName, type, instance });
  }

  /** Waits until the server shows it, so that whoever is told of success also sees it. */
  async #shown(
    service: string,
    id: string,
    isShown: (entries: readonly ReadNacosInstance[]) => boolean,
  ): Promise<void> {
    const { clock, timers } = this.#options.runtime;
    const endMs = clock.nowMs() + shownWithinMs;
    for (let pauseMs = firstLookMs; clock.nowMs() < endMs; pauseMs = Math.min(longestLookMs, 2 * pauseMs)) {
      if (isShown(await this.#entriesOf(service, id))) return;
      await sleep(timers, pauseMs);
    }
  }
}

function keyOf(service: string, id: string): string {
  return `${service}/${id}`;
}

/** Whether another has taken the id since. */
function isBeaten(mine: Holder | undefined, other: Holder): boolean {
  return mine === undefined || compareHolders(other, mine) > 0;
}

function isOwn({ lease, isCopy }: ReadNacosInstance, own: string): boolean {
  return lease === own && !isCopy;
}

/** All that is stated of an instance, as text. */
function signOf({ lastHeartbeatMs: _, ...stated }: Instance): string {
  return JSON.stringify([
    ...Object.entries({ ...stated, metadata: undefined }).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ...Object.entries(stated.metadata).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
