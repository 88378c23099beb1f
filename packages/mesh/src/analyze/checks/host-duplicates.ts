import type { ResourceOf } from '../../resources/index.ts';
import type { Check } from '../check.ts';

/** Several VirtualServices for one host in one place. */
export const hostDuplicates: Check = (inventory, tell) => {
  const places = new Map<
    string,
    { readonly service: ResourceOf<'VirtualService'>; readonly index: number }[]
  >();
  for (const service of inventory.of('VirtualService')) {
    const { metadata, spec } = service;
    for (const [index, host] of (spec.hosts ?? []).entries()) {
      const full = inventory.directory.fullName(host, metadata.namespace);
      for (const gateway of spec.gateways ?? ['mesh']) {
        const own =
          gateway === 'mesh' || gateway.includes('/') ? gateway : `${metadata.namespace}/${gateway}`;
        // Rules that only one namespace sees compete with those that it sees only.
        const seen = (spec.exportTo ?? ['*'])
          .map((each) => (each === '.' ? metadata.namespace : each))
          .toSorted();
        const key = `${own} ${full} ${own === 'mesh' ? seen.join() : ''}`;
        places.set(key, [...(places.get(key) ?? []), { service, index }]);
      }
    }
  }
  for (const [key, found] of places) {
    if (found.length < 2) continue;
    // At a gateway Istio joins the rules; only where two say what becomes of the rest do they compete.
    const [gateway] = key.split(' ');
    const names = found.map(({ service }) => `${service.metadata.namespace}/${service.metadata.name}`);
    if (gateway !== 'mesh' && !found.every(({ service }) => takesAll(service))) continue;
    for (const { service, index } of found) {
      const others = names.filter(
        (name) => name !== `${service.metadata.namespace}/${service.metadata.name}`,
      );
      const message = `"${service.spec.hosts?.[index]}" is a host of ${others.join(', ')} too`;
      if (others.length > 0)
        tell('VIRTUAL_SERVICE_HOST_DUPLICATE', service, ['spec', 'hosts', index], message);
    }
  }
};

function takesAll({ spec }: ResourceOf<'VirtualService'>): boolean {
  return (spec.http ?? []).some(({ match = [] }) => match.length === 0);
}
