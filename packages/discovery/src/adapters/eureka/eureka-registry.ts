import type { Runtime } from '@heddle/kernel';
import { backendRegistry } from '../../registry/backend-registry.ts';
import { authorityOf } from '../../health/probe/authority.ts';
import type { LeaseKeeper } from '../../registry/lease-keeper.ts';
import { polled } from '../../registry/polled.ts';
import type { Registry } from '../../registry/registry.ts';
import { AppsView } from './apps-view.ts';
import type { EurekaApplications } from './applications.ts';
import { Applications } from './applications.ts';
import { EurekaClient, type EurekaReach } from './eureka-client.ts';
import { appOf, decodeInstance, type EurekaInstance } from './eureka-instance.ts';
import { eurekaLeases } from './eureka-leases.ts';

/** How Eureka is used. */
export interface EurekaRegistryOptions extends EurekaReach {
  readonly runtime: Runtime;
  /**
   * Before the name of each application: registries with different prefixes share a server and see nothing of each
   * other. Default none.
   */
  readonly prefix?: string;
  /** Of what this process registers. Default 10000, at least 4000: Eureka counts in seconds. */
  readonly ttlMs?: number;
  /** How often a watch asks what has changed. Default 5000: Eureka tells nobody of changes. */
  readonly pollMs?: number;
  /** Keeps the leases while this thread cannot. Default: nothing does; `@heddle/discovery/eureka` gives a thread. */
  readonly keeper?: LeaseKeeper;
}

/**
 * A registry in Eureka, by its REST API. A watch asks for what has changed and compares the server's hash, so it hears
 * of a change after `pollMs`; a server that answers from its read-only cache (its default) adds up to 30 s. While a
 * server is in self-preservation it keeps entries whose leases have lapsed, and so do we: use health checks beside it.
 * Asks nothing until it is used.
 */
export function eurekaRegistry(options: EurekaRegistryOptions): Registry {
  const { runtime, prefix = '', ttlMs = 10_000, pollMs = 5000, keeper } = options;
  const client = new EurekaClient(runtime, options);
  const view = new AppsView(client, runtime.clock, pollMs);
  const instancesIn = (apps: Applications, service: string): Iterable<EurekaInstance> =>
    apps.of(appOf(prefix, service));
  const stateIn = (apps: Applications, service: string) => ({
    instances: [...instancesIn(apps, service)].flatMap(
      (entry) => decodeInstance(service, entry)?.instance ?? [],
    ),
  });
  return backendRegistry(
    {
      name: 'eureka',
      places: options.servers.map((server) => `eureka ${authorityOf(server)} ${prefix}`),
      leases: eurekaLeases(client, runtime.clock, prefix, ttlMs),
      find: async (service) => {
        const { json } = await client.ask('GET', `/apps/${encodeURIComponent(appOf(prefix, service))}`);
        const apps = new Applications();
        apps.replace(single(json));
        return stateIn(apps, service);
      },
      follow: (service, call) =>
        polled(runtime.timers, call, async () => ({
          ...stateIn(await view.current(), service),
          freshMs: pollMs,
        })),
      services: async () => {
        const apps = new Applications();
        apps.replace((await client.ask('GET', '/apps')).json ?? {});
        return servicesIn(apps, prefix);
      },
      close: () => client.close(),
    },
    { runtime, ttlMs, keeper },
  );
}

/** What is asked of one application comes without the frame of many. */
function single(json: unknown): EurekaApplications {
  const { application } = (json ?? {}) as { readonly application?: { readonly name?: unknown } };
  return { applications: { application: application === undefined ? [] : [application] } };
}

/** Eureka has names in capitals only; entries of ours say how they are written, others say it in their VIP address. */
function servicesIn(apps: Applications, prefix: string): string[] {
  const names = new Set<string>();
  for (const app of apps.names) {
    if (!app.startsWith(prefix.toUpperCase())) continue;
    for (const { metadata, vipAddress } of apps.of(app)) {
      const known = metadata?.['heddle.service'] ?? vipAddress;
      names.add(
        typeof known === 'string' && appOf(prefix, known) === app
          ? known
          : app.slice(prefix.length).toLowerCase(),
      );
    }
  }
  return [...names];
}
