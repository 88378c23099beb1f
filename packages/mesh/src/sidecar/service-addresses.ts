import { createHash } from 'node:crypto';
import type { ServiceListener } from '../model/index.ts';

/**
 * Loopback addresses of services, one for each host: 127.64.0.1 to 127.127.255.254, all of which are the machine's own on
 * Linux. A host has the same in each process, but where two would have one; what has been given stays.
 */
export class ServiceAddresses {
  readonly #byHost = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** The address of a service's host: the one that its rules name, else its own here. */
  of({ host, address }: Pick<ServiceListener, 'host' | 'address'>): string {
    if (address !== undefined) return address;
    const known = this.#byHost.get(host);
    if (known !== undefined) return known;
    const made = this.#free(host);
    this.#taken.add(made);
    this.#byHost.set(host, made);
    return made;
  }

  #free(host: string): string {
    const digest = createHash('sha256').update(host).digest();
    for (let number = digest.readUInt32BE(0); ; number += 1) {
      const last = number % 254;
      const middle = Math.floor(number / 254) % 256;
      const first = 64 + (Math.floor(number / (254 * 256)) % 64);
      const address = `127.${first}.${middle}.${last + 1}`;
      if (!this.#taken.has(address)) return address;
    }
  }
}

/** Addresses by the names that services are called by, for a name server. `*.shop.example` stands for all below. */
export function namesOf(
  services: readonly ServiceListener[],
  addresses: ServiceAddresses,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const service of services) {
    const address = addresses.of(service);
    for (const name of [service.host, ...service.aliases]) {
      const lower = name.toLowerCase();
      if (!names.has(lower)) names.set(lower, address);
    }
  }
  return names;
}
