import {
  type HealthCheck,
  instance as complete,
  type InstanceInit,
  type Registry,
  reportHealth,
  type RunningCheck,
  startCheck,
} from '@heddle/discovery';
import { HeddleError, type Registration, type Runtime } from '@heddle/kernel';
import type { HealthBoard } from './health/health-board.ts';

/** What `registration` is made from. */
export interface RegistrationOptions {
  readonly runtime: Runtime;
  readonly registry: Registry;
  /** Asked when it is time to register, since a server knows its port only once it listens. */
  readonly instance: () => InstanceInit;
  /** Turned to serving with the registration, and back with its end. */
  readonly health?: HealthBoard;
  /** How the instance is checked from here, as long as it is registered: what that finds is its health in the registry. */
  readonly check?: HealthCheck;
  /** The gauge: hears whether the registry has the instance, at first and whenever that changes. Must not throw. */
  readonly onRegistered?: (registered: boolean) => void;
  /**
   * Ties readiness to the registry: `health` serves only while it has the instance. Default false, since a registry that
   * is down would otherwise make healthy instances look sick to those who call them.
   */
  readonly servesOnlyRegistered?: boolean;
}

/**
 * An instance in a registry as a statement of the kernel's `App`: made when the server runs, kept by the registry
 * through lost leases and outages, and taken back before the server drains.
 *
 * A registry that cannot be reached does not keep the app from starting: the statement is repeated until it stands.
 * On the way down the order is: not serving, gone from the registry; then the app waits, drains and stops.
 */
export function registration(options: RegistrationOptions): Registration {
  const { runtime, registry, health, check, onRegistered, servesOnlyRegistered = false } = options;
  let registered: { readonly service: string; readonly id: string } | undefined;
  let running: RunningCheck | undefined;
  let stopListening: (() => void) | undefined;
  const changed = (isThere: boolean): void => {
    onRegistered?.(isThere);
    if (servesOnlyRegistered) health?.setAll(isThere);
  };
  return {
    name: 'registration',
    async register() {
      health?.setAll(!servesOnlyRegistered);
      // Known before it is sent: what was cut short may stand all the same, and has to be taken back.
      const stated = complete(options.instance());
      registered = stated;
      const desired = await registry.register(stated).catch(unlessReadOnly);
      if (desired === undefined) {
        registered = undefined;
        changed(false);
        runtime.log('info', 'this registry is read only: nothing is registered', { registry: registry.name });
        return;
      }
      stopListening = desired.subscribe(changed);
      changed(desired.registered);
      if (check !== undefined) {
        const address = { host: stated.address, port: stated.port };
        const onChange = reportHealth(registry, stated, runtime);
        running = startCheck({ runtime, check, address, onChange });
      }
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
      running?.stop();
      stopListening?.();
      changed(false);
      health?.setAll(false);
      if (registered !== undefined) await registry.deregister(registered.service, registered.id);
    },
  };
}

/** DNS and xDS cannot be written to; who is found there was written down by others. */
function unlessReadOnly(thrown: unknown): undefined {
  if (HeddleError.from(thrown).code !== 'unimplemented') throw thrown;
  return undefined;
}
