import type { Registry } from '../registry/registry.ts';

/** The same registry, but for the parts given. */
export function withParts(
  inner: Registry,
  parts: Partial<Pick<Registry, 'watch' | 'instances' | 'close'>>,
): Registry {
  return {
    name: inner.name,
    places: inner.places,
    get problem() {
      return inner.problem;
    },
    register: (instance) => inner.register(instance),
    deregister: (service, id) => inner.deregister(service, id),
    heartbeat: (service, id, health) => inner.heartbeat(service, id, health),
    instances: (service) => inner.instances(service),
    watch: (service, signal) => inner.watch(service, signal),
    services: () => inner.services(),
    close: () => inner.close(),
    ...parts,
  };
}
