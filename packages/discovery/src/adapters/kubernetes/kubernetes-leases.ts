import { HeddleError } from '@heddle/kernel';
import type { Health, Instance } from '../../registry/instance.ts';
import type { LeaseClient } from '../../registry/lease-client.ts';
import { leaseLost, leaseSuperseded } from '../../registry/lease-error.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import { badInstance } from '../../registry/validate-instance.ts';
import { type Collections, isKubernetesName, kubernetesNameRule, manager } from './kinds.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import { leaseObject, objectName, type ReadLease, readLease } from './lease-object.ts';
import { readObject } from './object.ts';
import { serviceObject, sliceObject } from './slice-object.ts';

// Each try loses only to somebody who has written meanwhile.
const mostTries = 8;

/** How much later than its lease an entry is held for dead: dates are of whole seconds. */
export const dateSlackMs = 1000;

/**
 * Leases as `Lease` objects (as nodes have them), so that a renewal is seen by those who watch leases and by nobody
 * else; beside each an EndpointSlice, and for all a Service, for those who do not know us. Kubernetes ends no lease:
 * who reads judges it, by the server's time, and takes away what is over.
 */
export class KubernetesLeases implements LeaseClient {
  readonly #client: KubernetesClient;
  readonly #collections: Collections;
  /** By name: what we have written last. */
  readonly #written = new Map<string, ReadLease>();

  constructor(client: KubernetesClient, collections: Collections) {
    this.#client = client;
    this.#collections = collections;
  }

  async put(leased: LeasedInstance, fresh: boolean): Promise<void> {
    const { instance } = leased;
    const { service, id } = instance;
    checkName(instance);
    await this.#replace(service, id, (known) => {
      const isOthers = known !== undefined && known.holder !== leased.lease;
      if (isOthers && !fresh && this.isAlive(known)) throw leaseSuperseded(service, id);
      return leased;
    });
    await this.#show(instance);
  }

  async renew(service: string, id: string, lease: string, health: Health | undefined): Promise<void> {
    const next = (known: ReadLease): Instance =>
      health === undefined ? known.instance : { ...known.instance, health };
    const renewed = this.#replace(service, id, (known) => {
      if (known === undefined) throw leaseLost(service, id);
      if (known.holder !== lease) throw leaseSuperseded(service, id);
      return { instance: next(known), lease, ttlMs: known.ttlMs };
    });
    // At the same time, since a slow server must not cost the lease. Nothing is written where nothing has changed;
    // what somebody has deleted comes back.
    const known = this.#written.get(objectName(service, id));
    await Promise.all([renewed, known?.holder === lease ? this.#show(next(known)) : undefined]);
  }

  async remove(service: string, id: string, lease: string): Promise<void> {
    const name = objectName(service, id);
    for (let tries = 1; ; tries++) {
      const known = await this.#read(name);
      if (known !== undefined && known.holder !== lease) throw leaseSuperseded(service, id);
      try {
        if (known !== undefined) await this.removeLease(known);
        this.#written.delete(name);
        return;
      } catch (thrown) {
        if (!isConflict(thrown) || tries >= mostTries) throw thrown;
      }
    }
  }

  /** Removes a lease as it was read, with its slice. Rejects with `CONFLICT` if it is another by now. */
  async removeLease({ object }: ReadLease): Promise<void> {
    const { name, uid, resourceVersion } = object.metadata;
    const json = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    await this.#client.ask({ method: 'DELETE', path: `${this.#collections.leases}/${name}`, json });
    await this.#client.ask({ method: 'DELETE', path: `${this.#collections.slices}/${name}` });
  }

  /** Whether a lease holds by the server's time. */
  isAlive({ instance, ttlMs }: ReadLease): boolean {
    return this.#client.clock.nowMs - instance.lastHeartbeatMs <= ttlMs + dateSlackMs;
  }

  /** Reads, decides, and writes only if nothing was written meanwhile. What we wrote last need not be read again. */
  async #replace(
    service: string,
    id: string,
    decide: (known: ReadLease | undefined) => LeasedInstance,
  ): Promise<ReadLease> {
    const name = objectName(service, id);
    let known = this.#written.get(name) ?? (await this.#read(name));
    for (let tries = 1; ; tries++) {
      const next = decide(known);
      try {
        return await this.#write(name, next, known);
      } catch (thrown) {
        this.#written.delete(name);
        const isOutdated = isConflict(thrown) || (known !== undefined && isNotFound(thrown));
        if (!isOutdated || tries >= mostTries) throw thrown;
        known = await this.#read(name);
      }
    }
  }

  async #write(name: string, next: LeasedInstance, known: ReadLease | undefined): Promise<ReadLease> {
    const version = known?.object.metadata.resourceVersion;
    const json = leaseObject(next, this.#client.clock.nowMs, version);
    const { leases } = this.#collections;
    const answer =
      version === undefined
        ? await this.#client.ask({ method: 'POST', path: leases, json })
        : await this.#client.ask({ method: 'PUT', path: `${leases}/${name}`, json });
    const written = leaseIn(answer);
    if (written === undefined) throw notALease(name);
    this.#written.set(name, written);
    return written;
  }

  async #read(name: string): Promise<ReadLease | undefined> {
    try {
      return leaseIn(await this.#client.ask({ method: 'GET', path: `${this.#collections.leases}/${name}` }));
    } catch (thrown) {
      if (isNotFound(thrown)) return undefined;
      throw thrown;
    }
  }

  /** Makes the slice and the service, where they are not as they should be. */
  async #show(instance: Instance): Promise<void> {
    await Promise.all([this.#showSlice(instance), this.#showService(instance)]);
  }

  async #showSlice(instance: Instance): Promise<void> {
    const path = `${this.#collections.slices}/${objectName(instance.service, instance.id)}`;
    const json = sliceObject(instance, this.#collections);
    const query = { fieldManager: manager, force: 'true' };
    try {
      await this.#client.ask({ method: 'PATCH', path, query, json });
    } catch (thrown) {
      // The family of an address cannot be changed in a slice.
      if (HeddleError.from(thrown).reason !== 'INVALID') throw thrown;
      await this.#client.ask({ method: 'DELETE', path });
      await this.#client.ask({ method: 'PATCH', path, query, json });
    }
  }

  async #showService(instance: Instance): Promise<void> {
    const { services } = this.#collections;
    try {
      await this.#client.ask({ method: 'GET', path: `${services}/${instance.service}` });
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
      const json = serviceObject(instance);
      await this.#client.ask({ method: 'POST', path: services, json }).catch(unlessConflict);
    }
  }
}

function leaseIn(answer: unknown): ReadLease | undefined {
  const object = readObject(answer);
  return object === undefined ? undefined : readLease(object);
}

function isConflict(thrown: unknown): boolean {
  return HeddleError.from(thrown).reason === 'CONFLICT';
}

function isNotFound(thrown: unknown): boolean {
  return HeddleError.from(thrown).reason === 'NOT_FOUND';
}

function unlessConflict(thrown: unknown): void {
  if (!isConflict(thrown)) throw thrown;
}

function checkName(instance: Instance): void {
  if (isKubernetesName(instance.service)) return;
  const found = JSON.stringify(instance.service);
  throw badInstance(instance, [{ field: 'service', expected: kubernetesNameRule, found }]);
}

function notALease(name: string): HeddleError {
  const message = `expected the Lease "${name}" as it was written, found something else; is this an API server?`;
  return new HeddleError({ code: 'unavailable', reason: 'NOT_A_REGISTRY', message });
}
