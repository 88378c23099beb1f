import { HeddleError } from '@heddle/kernel';

/** `not_found` / `LEASE_LOST`: register again. */
export function leaseLost(service: string, id: string): HeddleError {
  const message = `instance "${id}" of service "${service}" has no lease here: it lapsed, was taken back or was never made; register it again`;
  return new HeddleError({ code: 'not_found', reason: 'LEASE_LOST', message });
}

/** `aborted` / `LEASE_SUPERSEDED`: another process has the id now. */
export function leaseSuperseded(service: string, id: string): HeddleError {
  const message = `instance "${id}" of service "${service}" was registered by another process since; give each process an id of its own`;
  return new HeddleError({ code: 'aborted', reason: 'LEASE_SUPERSEDED', message });
}
