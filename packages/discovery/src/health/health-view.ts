import type { Health, Instance } from '../registry/instance.ts';

/** What somebody here knows about the health of instances, beside what the registry says. */
export interface HealthView {
  /** Undefined: nothing is known here; the registry's word counts. */
  healthOf(instance: Instance): Health | undefined;
  /** Calls `listener` after changes. Returns a function that stops that. */
  subscribe(listener: () => void): () => void;
}
