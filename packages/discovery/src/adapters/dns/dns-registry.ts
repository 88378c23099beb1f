import { backendRegistry } from '../../registry/backend-registry.ts';
import { polled } from '../../registry/polled.ts';
import type { Registry } from '../../registry/registry.ts';
import { DnsClient, type DnsClientOptions } from './dns-client.ts';
import { type DnsFinding, type DnsQuestion, findInstances } from './dns-instances.ts';

/** Whom to ask, and what. */
export interface DnsRegistryOptions extends DnsClientOptions {
  /** What to ask for a service, e.g. `{ kind: 'srv', name: \`${service}.service.consul\` }`. */
  readonly question: (service: string) => DnsQuestion;
}

// A TTL of 0 means "do not keep"; asking more often than this would be a loop.
const leastMs = 1000;
const mostMs = 300_000;

/**
 * Finds instances by DNS (A, AAAA, SRV), from a plain server or from Consul's. A watch asks again when the TTL has run
 * out (every second at most, every five minutes at least), so it hears of a change that late. NXDOMAIN is an answer:
 * no instances; a server that fails makes the last answer `stale`. DNS cannot be written to, and does not list
 * services: those reject with `unimplemented` / `UNSUPPORTED`. For Kubernetes, use a headless service.
 */
export function dnsRegistry(options: DnsRegistryOptions): Registry {
  const { runtime, question } = options;
  const client = new DnsClient(options);
  const find = (service: string): Promise<DnsFinding> => findInstances(client, service, question(service));
  return backendRegistry(
    {
      name: 'dns',
      find,
      follow: (service, call) =>
        polled(runtime.timers, call, async () => {
          const { instances, ttlMs } = await find(service);
          return { instances, freshMs: Math.min(mostMs, Math.max(leastMs, ttlMs)) };
        }),
      close: () => {},
    },
    { runtime },
  );
}
