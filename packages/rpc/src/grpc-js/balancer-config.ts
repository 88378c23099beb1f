import { policyNames } from '@heddle/upstream';
import { HeddleError } from '@heddle/kernel';

/** The name of our balancer in a service config: `{ "loadBalancingConfig": [{ "heddle": { "policy": "ring_hash" } }] }`. */
export const balancerName = 'heddle';

/** How one channel balances. */
export interface BalancerConfig {
  /** A name that `policyByName` knows. Default `weighted_round_robin`. */
  readonly policy?: string;
  /** The metadata key whose value the hashing policies go by; lower case. */
  readonly hashHeader?: string;
}

const fields = ['policy', 'hashHeader'] as const;

/** Checks one, as from JSON: unknown fields are refused. Throws `invalid_argument` / `BAD_BALANCER_CONFIG`, all problems at once. */
export function readBalancerConfig(given: unknown): BalancerConfig {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw badConfig([`expected an object, found ${JSON.stringify(given)}`]);
  const problems: string[] = [];
  for (const [field, value] of Object.entries(given)) {
    if (!fields.some((known) => known === field))
      problems.push(`expected one of the fields ${fields.join(', ')}, found "${field}"`);
    else if (typeof value !== 'string' || value === '')
      problems.push(`${field}: expected a text, found ${JSON.stringify(value)}`);
    else if (field === 'policy' && !policyNames.includes(value))
      problems.push(`policy: expected one of ${policyNames.join(', ')}, found "${value}"`);
  }
  if (problems.length > 0) throw badConfig(problems);
  return given;
}

function badConfig(problems: readonly string[]): HeddleError {
  const message = `the balancer's configuration is wrong: ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_BALANCER_CONFIG', message, sent: false });
}
