import { backendRegistry } from '../../registry/backend-registry.ts';
import { History } from '../../registry/history.ts';
import { authorityOf } from '../../health/probe/authority.ts';
import { LastReadings } from '../../registry/last-readings.ts';
import type { LeaseKeeper } from '../../registry/lease-keeper.ts';
import type { Registry } from '../../registry/registry.ts';
import { type ConsulCheck, validateChecks } from './consul-check.ts';
import { ConsulClient, type ConsulClientOptions } from './consul-client.ts';
import { readEntries } from './consul-entry.ts';
import { ConsulLeases } from './consul-leases.ts';
import { type ConsulReading, findConsul, followConsul } from './follow-consul.ts';

/** How a registry in Consul is used. */
export interface ConsulOptions extends Omit<ConsulClientOptions, 'timeoutMs'> {
  /** The lease of what this process registers: a TTL check. Default 30000; at least 1000. */
  readonly ttlMs?: number;
  /** Deadline of each request. Default 6000: longer than an agent that takes 5 s per answer. */
  readonly timeoutMs?: number;
  /** Checks that the agent runs of each instance, beside the lease. Default none. */
  readonly checks?: readonly ConsulCheck[];
  /** When Consul forgets an instance whose lease has lapsed; it is out of the snapshots at once. Default 90000; 0: never. */
  readonly deregisterAfterMs?: number;
}

/** The registry; `keeper` keeps the leases while this thread cannot. Throws `BAD_CHECK`. */
export function consulRegistryWith(options: ConsulOptions, keeper?: LeaseKeeper): Registry {
  const { runtime, ttlMs = 30_000, timeoutMs = 6000, checks = [], deregisterAfterMs = 90_000 } = options;
  validateChecks(checks);
  const client = new ConsulClient({ ...options, timeoutMs });
  const history = new History(runtime.clock);
  const reading: ConsulReading = { runtime, client, history, readings: new LastReadings(readEntries) };
  return backendRegistry(
    {
      name: 'consul',
      places: options.addresses.map((address) => `consul ${authorityOf(address)}`),
      leases: new ConsulLeases({ runtime, client, checks, deregisterAfterMs }),
      find: (service) => findConsul(reading, service),
      follow: (service, call, known) => followConsul(reading, service, call, known),
      services: async () => {
        const { text } = await client.ask({ method: 'GET', path: '/v1/catalog/services' });
        // Consul itself is among them.
        return Object.keys(JSON.parse(text) as object).filter((name) => name !== 'consul');
      },
      close: () => client.close(),
    },
    { runtime, ttlMs, keeper, history },
  );
}
