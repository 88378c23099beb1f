import type { Health } from './instance.ts';
import type { LeasedInstance } from './lease-table.ts';

/**
 * The three things that a backend with leases can be asked, each a single try with its own deadline. What keeps an
 * instance registered is `KeptRegistration`, on top of this, the same for every backend.
 */
export interface LeaseClient {
  /** Makes or replaces the entry. `fresh` takes the id from another holder; without it: `LEASE_SUPERSEDED`. */
  put(leased: LeasedInstance, fresh: boolean): Promise<void>;
  /** Rejects with `LEASE_LOST` or `LEASE_SUPERSEDED` if the entry is not there, or is another's. */
  renew(service: string, id: string, lease: string, health: Health | undefined): Promise<void>;
  /** Nothing happens if there is no entry. Rejects with `LEASE_SUPERSEDED` if it is another's. */
  remove(service: string, id: string, lease: string): Promise<void>;
}
