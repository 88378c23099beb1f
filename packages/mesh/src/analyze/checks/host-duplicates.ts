import type { ResourceOf } from '../../resources/index.ts';
import type { Check } from '../check.ts';
import type { Inventory } from '../inventory.ts';
import { overlap } from './host-overlap.ts';

/** A VirtualService at one place, by one of its hosts. */
interface Placed {
  readonly service: ResourceOf<'VirtualService'>;
  readonly index: number;
  /** Namespaces that see its rules; `*` for all. */
  readonly seen: ReadonlySet<string>;
}

/** Several VirtualServices for one host in one place. */
export const hostDuplicates: Check = (inventory, tell) => {
  const places = placesOf(inventory);
  const all = [...places].filter(([key]) => key.startsWith('mesh '));
  const hosts = all.flatMap(([key, found]) => found.map((each) => ({ ...each, host: key.slice(5) })));
  const wide = hosts.some(({ host }) => host.startsWith('*')) ? hosts : [];
  for (const [key, found] of places) {
    // At a gateway Istio joins the rules; only where two say what becomes of the rest do they compete.
    const isMesh = key.startsWith('mesh ');
    if (!isMesh && !found.every(({ service }) => takesAll(service))) continue;
    const host = key.slice(key.indexOf(' ') + 1);
    const beside = isMesh ? wide.filter((other) => other.host !== host && overlap(host, other.host)) : [];
    for (const { service, index, seen } of found) {
      const near = found.filter((other) => !isMesh || seeTogether(seen, other.seen));
      // What one namespace sees alone, and a pattern that all see, are not told apart by which is narrower.
      const far = beside.filter((other) => seen.has('*') !== other.seen.has('*'));
      const rivals = [...near, ...far].filter((other) => other.service !== service);
      if (rivals.length === 0) continue;
      const names = rivals.map(({ service: { metadata } }) => `${metadata.namespace}/${metadata.name}`);
      const message = `"${service.spec.hosts?.[index]}" is a host of ${[...new Set(names)].join(', ')} too`;
      tell('VIRTUAL_SERVICE_HOST_DUPLICATE', service, ['spec', 'hosts', index], message);
    }
  }
};

/** By gateway and full host. */
function placesOf(inventory: Inventory): ReadonlyMap<string, readonly Placed[]> {
  const places = new Map<string, Placed[]>();
  for (const service of inventory.of('VirtualService')) {
    const { metadata, spec } = service;
    const exported = (spec.exportTo ?? []).length === 0 ? ['*'] : (spec.exportTo ?? []);
    const seen = new Set(exported.map((each) => (each === '.' ? metadata.namespace : each)));
    for (const [index, host] of (spec.hosts ?? []).entries()) {
      const full = inventory.directory.fullName(host, metadata.namespace);
      for (const gateway of spec.gateways ?? ['mesh']) {
        const own =
          gateway === 'mesh' || gateway.includes('/') ? gateway : `${metadata.namespace}/${gateway}`;
        const key = `${own} ${full}`;
        places.set(key, [...(places.get(key) ?? []), { service, index, seen }]);
      }
    }
  }
  return places;
}

/** Rules compete where somebody sees both. */
function seeTogether(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.has('*') || other.has('*') || [...one].some((namespace) => other.has(namespace));
}

function takesAll({ spec }: ResourceOf<'VirtualService'>): boolean {
  return (spec.http ?? []).some(({ match = [] }) => match.length === 0);
}
