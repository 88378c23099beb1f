import { instance as complete, type InstanceInit, type Registry } from '@heddle/discovery';
import type { Registration, Runtime } from '@heddle/kernel';
import type { HealthBoard } from './health/health-board.ts';

/** What `registration` is made from. */
export interface RegistrationOptions {
  readonly runtime: Runtime;
  readonly registry: Registry;
  /** Asked when it is time to register, since a server knows its port only once it listens. */
  readonly instance: () => InstanceInit;
  /** Turned to serving with the registration, and back with its end. */
  readonly health?: HealthBoard;
}

/**
 * An instance in a registry as a statement of the kernel's `App`: made when the server runs, kept by the registry
 * through lost leases and outages, and taken back before the server drains.
 *
 * A registry that cannot be reached does not keep the app from starting: the statement is repeated until it stands.
 * On the way down the order is: not serving, gone from the registry; then the app waits, drains and stops.
 */
export function registration(options: RegistrationOptions): Registration {
  const { runtime, registry, health } = options;
  let registered: { readonly service: string; readonly id: string } | undefined;
  return {
    name: 'registration',
    async register() {
      health?.setAll(true);
      // Known before it is sent: what was cut short may stand all the same, and has to be taken back.
      const stated = complete(options.instance());
      registered = stated;
      const desired = await registry.register(stated);
      if (desired.registered) return;
      const { service, id } = stated;
      const why = desired.problem?.message;
      runtime.log('warn', 'not registered yet; going on to try', {
        service,
        id,
        registry: registry.name,
        why,
      });
    },
    async deregister() {
      health?.setAll(false);
      if (registered !== undefined) await registry.deregister(registered.service, registered.id);
    },
  };
}
