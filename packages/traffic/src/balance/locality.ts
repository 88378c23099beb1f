import type { Random } from '@heddle/kernel';
import { available, type AvailableOptions } from './available.ts';
import { leveled } from './levels.ts';
import type { Candidate, Policy } from './picker.ts';

/** Where the caller runs, and how its calls stay near. */
export interface LocalityOptions extends AvailableOptions {
  readonly random: Random;
  readonly zone: string;
  readonly region: string;
}

const names = ['own zone', 'own region', 'elsewhere'];

/**
 * Calls stay in the caller's zone, then in its region, then go anywhere, with `policy` within each. A zone that is
 * short of healthy instances gives the share away that it cannot carry, and no more. Blocked candidates count for
 * what a zone can carry, and are left out of the choice (`available`), so this stands outermost.
 */
export function locality(policy: Policy, options: LocalityOptions): Policy {
  const { random, zone, region, ...availability } = options;
  return leveled(available(policy, availability), {
    name: 'locality',
    random,
    reason: 'farther_away',
    nameOf: (level) => names[level] ?? '',
    levelOf: (candidate: Candidate) => {
      if (candidate.region !== region) return 2;
      return candidate.zone === zone ? 0 : 1;
    },
  });
}
