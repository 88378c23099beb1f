import type { Address, Service } from '@heddle/kernel';
import type { CheckResult } from '../health-state.ts';

/**
 * One look at an instance: a service from its address to what was found. An answer that is unwelcome is a result; it
 * rejects with a `HeddleError` if there was no answer, which is critical too. Heeds the call's cancellation.
 */
export type Probe = Service<Address, CheckResult>;

/** It is well. */
export function passing(why: string): CheckResult {
  return { health: 'passing', why };
}

/** It is not. */
export function critical(why: string): CheckResult {
  return { health: 'critical', why };
}
