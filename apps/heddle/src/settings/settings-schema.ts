import type { SchemaIssue, StandardSchema } from '@heddle/config';

/** Notes what is wrong at a place of the settings, and goes on. */
export type NoteProblem = (path: readonly string[], message: string) => void;

/** A Standard Schema of a function that reads settings and notes all problems. `read`'s value counts if it noted none. */
export function settingsSchema<T>(read: (value: unknown, note: NoteProblem) => T): StandardSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'heddle',
      validate: (value) => {
        const issues: SchemaIssue[] = [];
        const read_ = read(value, (path, message) => issues.push({ path, message }));
        return issues.length > 0 ? { issues } : { value: read_ };
      },
    },
  };
}

/** The members of an object, of which only `known` may be there; none, and a problem, for anything else. */
export function membersIn(
  value: unknown,
  path: readonly string[],
  note: NoteProblem,
  known?: readonly string[],
): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    note(path, 'expected an object');
    return {};
  }
  for (const name of Object.keys(value))
    if (known !== undefined && !known.includes(name))
      note([...path, name], `unknown; expected ${known.join(', ')}`);
  return value as Readonly<Record<string, unknown>>;
}

/** A whole number from `least` to `most`. */
export function wholeIn(
  value: unknown,
  path: readonly string[],
  note: NoteProblem,
  [least, most]: readonly [least: number, most: number],
): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  note(path, `expected a whole number from ${least} to ${most}, found ${JSON.stringify(value)}`);
  return least;
}
