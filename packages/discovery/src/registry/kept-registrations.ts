import { HeddleError } from '@heddle/kernel';
import type { Health, InstanceInit } from './instance.ts';
import { KeptRegistration, type KeptRegistrationOptions } from './kept-registration.ts';
import type { DesiredRegistration } from './registry.ts';
import { instance } from './validate-instance.ts';

/** What one process has registered: the writing half of a `Registry` for every backend with leases. */
export class KeptRegistrations {
  readonly #options: KeptRegistrationOptions;
  readonly #kept = new Map<string, KeptRegistration>();
  #closed = false;

  constructor(options: KeptRegistrationOptions) {
    this.#options = options;
  }

  /** See `Registry.register`. */
  async register(init: InstanceInit): Promise<DesiredRegistration> {
    const stated = instance(init);
    if (this.#closed) throw registryClosed();
    const key = keyOf(stated.service, stated.id);
    const known = this.#kept.get(key);
    if (known !== undefined) {
      await known.state(stated);
      return known;
    }
    const kept = new KeptRegistration(stated, this.#options);
    this.#kept.set(key, kept);
    await kept.attempted();
    return kept;
  }

  /** See `Registry.deregister`. */
  async deregister(service: string, id: string): Promise<void> {
    const key = keyOf(service, id);
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    await kept?.release();
  }

  /** See `Registry.heartbeat`. */
  async heartbeat(service: string, id: string, health?: Health): Promise<void> {
    const kept = this.#kept.get(keyOf(service, id));
    if (kept === undefined) {
      const message = `instance "${id}" of service "${service}" was not registered by this process; register it first`;
      throw new HeddleError({ code: 'not_found', reason: 'NOT_REGISTERED', message, sent: false });
    }
    const problem = await kept.report(health);
    if (problem !== undefined) throw problem;
  }

  /** Releases all of them, as far as that can be done; never rejects. Further registrations are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.allSettled(all.map((kept) => kept.release()));
  }
}

// A slash cannot be part of a service's name.
function keyOf(service: string, id: string): string {
  return `${service}/${id}`;
}

/** `failed_precondition` / `REGISTRY_CLOSED`. */
export function registryClosed(): HeddleError {
  const message = 'this registry object was closed; make another one';
  return new HeddleError({ code: 'failed_precondition', reason: 'REGISTRY_CLOSED', message, sent: false });
}
