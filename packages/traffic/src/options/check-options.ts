import { HeddleError } from '@heddle/kernel';

/** What an option must be, and the words for it. */
export interface OptionRule {
  readonly expected: string;
  holds(value: unknown): boolean;
}

/** A time span. */
export const durationMs: OptionRule = numberRule('milliseconds above 0', (value) => value > 0);

/** A time span that may be none. */
export const delayMs: OptionRule = numberRule('milliseconds, 0 or more', (value) => value >= 0);

/** A part of a whole. */
export const share: OptionRule = numberRule('a number from 0 to 1', (value) => value >= 0 && value <= 1);

/** A part of a whole that is not nothing. */
export const someShare: OptionRule = numberRule(
  'a number above 0 up to 1',
  (value) => value > 0 && value <= 1,
);

/** A whole number from `min` on. */
export function wholeFrom(min: number): OptionRule {
  return numberRule(`a whole number, ${min} or more`, (value) => Number.isSafeInteger(value) && value >= min);
}

/** A number from `min` on. */
export function numberFrom(min: number): OptionRule {
  return numberRule(`a number, ${min} or more`, (value) => value >= min);
}

/** For what the compiler checks well enough: functions, ports, other objects. */
export const present: OptionRule = { expected: 'a value', holds: (value) => value !== undefined };

/** An object whose own options are checked by themselves. */
export const nested: OptionRule = {
  expected: 'an object',
  holds: (value) => typeof value === 'object' && value !== null,
};

/**
 * Throws `invalid_argument` / `BAD_OPTIONS` if `given` has unknown options or wrong values: all problems at once, each
 * with its field, what was expected and what was found. Options that are absent or undefined have defaults.
 */
export function checkOptions(what: string, given: object, rules: Readonly<Record<string, OptionRule>>): void {
  const problems: string[] = [];
  for (const [field, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
    if (rule === undefined)
      problems.push(`${field}: unknown, expected one of ${Object.keys(rules).join(', ')}`);
    else if (value !== undefined && !rule.holds(value))
      problems.push(`${field}: expected ${rule.expected}, found ${shown(value)}`);
  }
  if (problems.length === 0) return;
  throw new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_OPTIONS',
    message: `${what}: ${problems.join('; ')}`,
    sent: false,
  });
}

function numberRule(expected: string, holds: (value: number) => boolean): OptionRule {
  return {
    expected,
    holds: (value) => typeof value === 'number' && Number.isFinite(value) && holds(value),
  };
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return (JSON.stringify(value) ?? typeof value).slice(0, 80);
}
