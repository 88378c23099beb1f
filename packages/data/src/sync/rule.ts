import { HeddleError } from '@heddle/kernel';
import type { Change } from './change.ts';
import type { SyncTarget } from './target.ts';

/**
 * When a change is to be seen in a target. `strong`: together with the change itself, or the change fails. `eventual`: later,
 * for certain, in the order of each entity. `weak`: as well as it goes; what fails is counted.
 */
export const syncLevels = ['strong', 'eventual', 'weak'] as const;
/** One of `syncLevels`. */
export type SyncLevel = (typeof syncLevels)[number];

/** What goes where. */
export interface SyncRule<From = never, To = unknown> {
  /** Lower-case letters, digits and `-`, beginning with a letter; the same for ever: what a target has is noted by it. */
  readonly name: string;
  readonly entityType: string;
  /** Only these events of such entities. Default: all. */
  readonly eventTypes?: readonly string[];
  readonly level: SyncLevel;
  /** What the target is to hold of it; undefined: nothing. Must be pure: it may run again. */
  readonly map: (value: From) => To | undefined;
  readonly target: SyncTarget<To>;
}

/** Rules of any types, as they are kept together. */
export type AnySyncRule = SyncRule<never, never>;

/** Whether a change is one that the rule is for. */
export function isFor({ entityType, eventTypes }: AnySyncRule, change: Change): boolean {
  return entityType === change.entityType && (eventTypes?.includes(change.eventType) ?? true);
}

const nameRule = /^[a-z][a-z0-9-]{0,39}$/;

/** Throws `invalid_argument` / `BAD_SYNC` with all that is wrong with them at once. */
export function checkRules(rules: readonly AnySyncRule[], levels: readonly SyncLevel[] = syncLevels): void {
  const problems: string[] = [];
  const named = 'expected 1 to 40 of a-z, 0-9 and "-", beginning with a letter';
  for (const { name, entityType, level, target } of rules) {
    if (!nameRule.test(name)) problems.push(`rule ${JSON.stringify(name)}: ${named}`);
    if (!nameRule.test(entityType)) problems.push(`rule ${name}: entityType: ${named}, found ${entityType}`);
    if (!nameRule.test(target.name)) problems.push(`rule ${name}: target: ${named}, found ${target.name}`);
    if (!levels.includes(level))
      problems.push(`rule ${name}: level: expected ${levels.join(', ')}, found ${level}`);
  }
  const names = rules.map(({ name }) => name);
  for (const name of new Set(names.filter((each, at) => names.indexOf(each) !== at)))
    problems.push(`rule ${name}: there are two of it`);
  if (problems.length === 0) return;
  const message = `the rules cannot be kept: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SYNC', message, sent: false });
}
