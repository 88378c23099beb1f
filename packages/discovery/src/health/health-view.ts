import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Health, Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { type CheckOptions, type HealthListener, type RunningCheck, startCheck } from './running-check.ts';

/** What somebody here knows about the health of instances, beside what the registry says. */
export interface HealthView {
  /** Undefined: nothing is known here; the registry's word counts. */
  healthOf(instance: Instance): Health | undefined;
  /** Calls `listener` after changes. Returns a function that stops that. */
  subscribe(listener: () => void): () => void;
}

/** What to check, and how: as for one instance, without the instance. */
export interface ServiceChecksOptions extends Omit<CheckOptions, 'address' | 'onChange'> {
  readonly registry: Registry;
  readonly service: string;
}

/** Checks that run until they are closed. */
export interface ServiceChecks extends HealthView {
  close(): void;
}

/**
 * Checks every instance of a service from here, for as long as the registry has it. The result is a view for
 * `ResolverOptions.health`: what this process can reach counts for more than what others say. Those that a registry
 * which is down can no longer take back are found out, too.
 * Throws as `Registry.watch` and `startCheck` do.
 */
export function checkService(options: ServiceChecksOptions): ServiceChecks {
  const { registry, service, runtime } = options;
  const running = new Map<string, { readonly instance: Instance; readonly check: RunningCheck }>();
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const update = (instances: readonly Instance[]): void => {
    const there = new Map(instances.map((instance) => [instance.id, instance]));
    for (const [id, { instance, check }] of running) {
      const now = there.get(id);
      if (now?.address === instance.address && now.port === instance.port) continue;
      check.stop();
      running.delete(id);
    }
    for (const [id, instance] of there) {
      if (running.has(id)) continue;
      const address = { host: instance.address, port: instance.port };
      running.set(id, { instance, check: startCheck({ ...options, address, onChange: tell }) });
    }
  };
  const leaving = new AbortController();
  const watch = registry.watch(service, leaving.signal);
  const follow = async (): Promise<void> => {
    for await (const { instances } of watch) update(instances);
  };
  follow().catch((error: unknown) => {
    runtime.log('error', 'the instances of a service cannot be checked', { service, error });
  });
  return {
    healthOf: ({ id, address, port }) => {
      const known = running.get(id);
      if (known?.instance.address !== address || known.instance.port !== port) return undefined;
      return known.check.health === 'unknown' ? undefined : known.check.health;
    },
    subscribe: (listener) => {
      const own = (): void => listener();
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
    close: () => {
      leaving.abort();
      for (const { check } of running.values()) check.stop();
      running.clear();
      listeners.clear();
    },
  };
}

/**
 * For a check's `onChange`: writes the health into the entry that this process has registered. If the registry cannot
 * be told now, the next renewal tells it.
 */
export function reportHealth(
  registry: Registry,
  { service, id }: Pick<Instance, 'service' | 'id'>,
  runtime: Runtime,
): HealthListener {
  return (health) => {
    registry.heartbeat(service, id, health).catch((thrown: unknown) => {
      const { reason, message } = HeddleError.from(thrown);
      runtime.log('warn', 'the registry was not told of a change of health', {
        service,
        id,
        reason,
        message,
      });
    });
  };
}
