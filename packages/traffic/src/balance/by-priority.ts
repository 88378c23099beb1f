import type { Random } from '@heddle/kernel';
import { available, type AvailableOptions } from './available.ts';
import { leveled } from './levels.ts';
import type { Policy } from './picker.ts';

/** What `byPriority` works with. */
export interface ByPriorityOptions extends AvailableOptions {
  readonly random: Random;
}

/**
 * All calls to the candidates of priority 0, as long as enough of them are healthy; what they cannot carry goes to
 * priority 1, and so on, with `policy` within each group. Blocked candidates are left out as by `available`.
 */
export function byPriority(policy: Policy, options: ByPriorityOptions): Policy {
  const { random, ...availability } = options;
  return leveled(available(policy, availability), {
    name: 'priority',
    random,
    reason: 'lower_priority',
    nameOf: (level) => `priority ${level}`,
    levelOf: (candidate) => candidate.priority ?? 0,
  });
}
