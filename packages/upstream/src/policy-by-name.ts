import { type BalancingPolicy, balancingPolicies } from '@heddle/discovery';
import { HeddleError, type Random } from '@heddle/kernel';
import { type Policy, roundRobin, weightedRoundRobin } from '@heddle/traffic';

/** What policies need to know of the client that uses them. */
export interface PolicySurroundings {
  readonly random: Random;
}

/**
 * The policy that a configuration names. Throws `invalid_argument` / `UNKNOWN_POLICY` for any other name: a typing
 * mistake must not send everything to one instance.
 */
export function policyByName(name: string, { random }: PolicySurroundings): Policy {
  switch (name as BalancingPolicy) {
    case 'round_robin':
      return roundRobin(random);
    case 'weighted_round_robin':
      return weightedRoundRobin;
    default:
      throw unknownPolicy(name);
  }
}

function unknownPolicy(name: string): HeddleError {
  const message = `balancing policy: expected one of ${balancingPolicies.join(', ')}, found ${JSON.stringify(name)}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'UNKNOWN_POLICY', message, sent: false });
}
