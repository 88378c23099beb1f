import { balancingPolicies } from '@heddle/discovery';
import { type Clock, HeddleError, type Random } from '@heddle/kernel';
import {
  available,
  byPriority,
  leastRequest,
  locality,
  maglev,
  orca,
  p2cLatency,
  type Policy,
  random,
  ringHash,
  roundRobin,
  slowStart,
  weightedRandom,
  weightedRoundRobin,
} from '@heddle/traffic';

/** The names that `policyByName` knows. */
export const policyNames: readonly string[] = [...balancingPolicies, 'orca'];

/** What policies need to know of the client that uses them. */
export interface PolicySurroundings {
  readonly random: Random;
  readonly clock: Clock;
  /** Where the client runs: what `locality` keeps near. Default: both `default`, as an instance that does not say. */
  readonly zone?: string;
  readonly region?: string;
  /** Which policy chooses within a zone or a priority. Default `least_request`. */
  readonly within?: string;
  /** At most so many times its fair share for one instance, for the policies that hash, 1 or more. Default: no bound. */
  readonly boundedLoad?: number;
  /** Newcomers reach their full share after so long. Default 0: at once. */
  readonly slowStartMs?: number;
}

/**
 * The policy that a configuration names, complete: it leaves out what is blocked (`available`) and warms newcomers up.
 * Throws `invalid_argument` / `UNKNOWN_POLICY` for any other name: a typing mistake must not send everything to one
 * instance.
 */
export function policyByName(name: string, surroundings: PolicySurroundings): Policy {
  const { random: chance, zone = 'default', region = 'default', within = 'least_request' } = surroundings;
  // These two judge how healthy a zone is by who is blocked, so they look at all and leave out by themselves.
  if (name === 'locality' || name === 'priority') {
    const inner = warmedUp(chooser(within, surroundings), surroundings);
    return name === 'locality'
      ? locality(inner, { random: chance, zone, region })
      : byPriority(inner, { random: chance });
  }
  return available(warmedUp(chooser(name, surroundings), surroundings));
}

/** A policy that chooses among equals. */
function chooser(name: string, surroundings: PolicySurroundings): Policy {
  const { random: chance, clock, boundedLoad } = surroundings;
  const hashing = { random: chance, ...(boundedLoad !== undefined && { boundedLoad }) };
  switch (name) {
    case 'round_robin':
      return roundRobin(chance);
    case 'weighted_round_robin':
      return weightedRoundRobin;
    case 'random':
      return random(chance);
    case 'weighted_random':
      return weightedRandom(chance);
    case 'least_request':
      return leastRequest(chance);
    case 'p2c_ewma':
      return p2cLatency({ random: chance, clock });
    case 'ring_hash':
      return ringHash(hashing);
    case 'maglev':
      return maglev(hashing);
    case 'orca':
      return orca({ random: chance, clock });
    default:
      throw unknownPolicy(name);
  }
}

function warmedUp(policy: Policy, { clock, random: chance, slowStartMs = 0 }: PolicySurroundings): Policy {
  return slowStartMs === 0 ? policy : slowStart(policy, { clock, random: chance, windowMs: slowStartMs });
}

function unknownPolicy(name: string): HeddleError {
  const message = `balancing policy: expected one of ${policyNames.join(', ')}, found ${JSON.stringify(name)}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'UNKNOWN_POLICY', message, sent: false });
}
