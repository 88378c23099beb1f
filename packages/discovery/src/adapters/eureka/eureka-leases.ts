import type { Clock } from '@heddle/kernel';
import type { Health } from '../../registry/instance.ts';
import type { LeaseClient } from '../../registry/lease-client.ts';
import { leaseLost, leaseSuperseded } from '../../registry/lease-error.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import type { EurekaClient } from './eureka-client.ts';
import {
  appOf,
  decodeInstance,
  encodeInstance,
  type EurekaInstance,
  eurekaId,
  type ReadEurekaInstance,
} from './eureka-instance.ts';

/** With what `KeptRegistration.release` waits for before, below the 5 s that an app has for deregistering. */
const removeTimeoutMs = 2000;

/**
 * Leases at Eureka. It asks nobody who he is: whoever renews an entry keeps it, whosever it is. So each entry says in
 * its metadata whose it is, and that is read beside every renewal.
 */
export function eurekaLeases(client: EurekaClient, clock: Clock, prefix: string, ttlMs: number): LeaseClient {
  const pathOf = (service: string, id: string): string =>
    `/apps/${encodeURIComponent(appOf(prefix, service))}/${eurekaId(id)}`;
  const find = async (
    service: string,
    id: string,
    timeoutMs?: number,
  ): Promise<ReadEurekaInstance | undefined> => {
    const { found, json } = await client.ask('GET', pathOf(service, id), undefined, timeoutMs);
    const entry = (json as { readonly instance?: EurekaInstance } | undefined)?.instance;
    return found && entry !== undefined ? decodeInstance(service, entry) : undefined;
  };
  // A server drops what is not newer than what it has, so a clock that is behind must not win or lose by that.
  const write = async (leased: LeasedInstance, before: ReadEurekaInstance | undefined): Promise<void> => {
    const dirtyMs = Math.max(Math.floor(clock.wallMs()), (before?.dirtyMs ?? 0) + 1);
    const app = encodeURIComponent(appOf(prefix, leased.instance.service));
    await client.ask('POST', `/apps/${app}`, encodeInstance(prefix, leased, dirtyMs));
  };
  return {
    put: async (leased, fresh) => {
      const { service, id } = leased.instance;
      const before = await find(service, id);
      if (!fresh && before !== undefined && before.lease !== leased.lease) throw leaseSuperseded(service, id);
      await write(leased, before);
    },
    renew: async (service: string, id: string, lease: string, health: Health | undefined) => {
      // At once, so that a server that is slow to answer is asked for no longer than it takes to answer once.
      const [renewed, seen] = await Promise.all([client.ask('PUT', pathOf(service, id)), find(service, id)]);
      if (!renewed.found || seen === undefined) throw leaseLost(service, id);
      if (seen.lease !== lease) throw leaseSuperseded(service, id);
      if (health === undefined || health === seen.instance.health) return;
      await write({ instance: { ...seen.instance, health }, lease, ttlMs }, seen);
    },
    remove: async (service, id, lease) => {
      const seen = await find(service, id, removeTimeoutMs);
      if (seen === undefined) return;
      if (seen.lease !== lease) throw leaseSuperseded(service, id);
      await client.ask('DELETE', pathOf(service, id), undefined, removeTimeoutMs);
    },
  };
}
