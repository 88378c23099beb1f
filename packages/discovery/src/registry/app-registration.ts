import type { Registration } from '@heddle/kernel';
import type { InstanceInit } from './instance.ts';
import type { DesiredRegistration, Registry } from './registry.ts';

/** A `Registration` for `App`, and the gauge that readiness may depend on. */
export interface AppRegistration extends Registration {
  /** Undefined until `register`. */
  readonly desired: DesiredRegistration | undefined;
}

/**
 * An instance as a registration of an `App`, which states it when all parts run and takes it back before they drain.
 * `register` resolves even while the registry cannot be reached: a service must not wait for its registry to start, and
 * is registered as soon as that can be. `instance` is asked at that moment, when ports are known.
 */
export function appRegistration(registry: Registry, instance: () => InstanceInit): AppRegistration {
  let desired: DesiredRegistration | undefined;
  return {
    name: `registration in ${registry.name}`,
    get desired() {
      return desired;
    },
    register: async () => {
      desired = await registry.register(instance());
    },
    deregister: async () => {
      if (desired !== undefined) await registry.deregister(desired.instance.service, desired.instance.id);
    },
  };
}
