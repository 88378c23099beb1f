import { HeddleError } from '@heddle/kernel';

/** Reads one value. Gives it, or a sentence about what was expected. */
export interface Reader<T> {
  readonly expected: string;
  /** False for what need not be there; it is then undefined. */
  readonly needed: boolean;
  fits(value: unknown): value is T;
}

type Read<S> = { readonly [K in keyof S]: S[K] extends Reader<infer T> ? T : never };

/**
 * Reads an object of a request. Throws `invalid_argument` / `BAD_INPUT` that names each field with what was expected and
 * found; a field that is not in the shape is an error too.
 */
export function readInput<S extends Readonly<Record<string, Reader<unknown>>>>(
  value: unknown,
  shape: S,
): Read<S> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(['expected an object in JSON']);
  const given = value as Readonly<Record<string, unknown>>;
  const problems = Object.keys(given)
    .filter((name) => !Object.hasOwn(shape, name))
    .map((name) => `unknown "${name.slice(0, 60)}", expected ${Object.keys(shape).join(', ') || 'nothing'}`);
  for (const [name, reader] of Object.entries(shape)) {
    const one = given[name];
    if (one === undefined ? reader.needed : !reader.fits(one))
      problems.push(`${name}: expected ${reader.expected}, found ${shown(one)}`);
  }
  if (problems.length > 0) throw bad(problems);
  return given as Read<S>;
}

/** A text of 1 to `most` characters; `least` 0 takes the empty one. */
export function text(most: number, least = 1): Reader<string> {
  return {
    expected: `a text of ${least} to ${most} characters`,
    needed: true,
    fits: (value): value is string =>
      typeof value === 'string' && value.length >= least && value.length <= most,
  };
}

/** A whole number. */
export function whole(least: number, most: number): Reader<number> {
  return {
    expected: `a whole number from ${least} to ${most}`,
    needed: true,
    fits: (value): value is number =>
      Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  };
}

/** One of some words. */
export function oneOf<const W extends string>(words: readonly W[]): Reader<W> {
  return {
    expected: words.map((word) => `"${word}"`).join(' or '),
    needed: true,
    fits: (value): value is W => words.some((word) => word === value),
  };
}

/** True or false. */
export const flag: Reader<boolean> = {
  expected: 'true or false',
  needed: true,
  fits: (value): value is boolean => typeof value === 'boolean',
};

/** A list of texts. */
export function texts(most: number): Reader<readonly string[]> {
  return {
    expected: `a list of at most ${most} texts`,
    needed: true,
    fits: (value): value is readonly string[] =>
      Array.isArray(value) && value.length <= most && value.every((one) => typeof one === 'string'),
  };
}

/** An object whose content somebody else looks at. */
export const record: Reader<Readonly<Record<string, unknown>>> = {
  expected: 'an object',
  needed: true,
  fits: (value): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
};

/** What need not be there. */
export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return { ...reader, needed: false };
}

/** A whole number among the parameters of a request. Throws `BAD_INPUT`. */
export function wholeIn(
  query: URLSearchParams,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const given = query.get(name);
  if (given === null || given === '') return fallback;
  const value = /^\d{1,16}$/.test(given) ? Number(given) : -1;
  if (value >= least && value <= most) return value;
  throw bad([`${name}: expected a whole number from ${least} to ${most}, found ${shown(given)}`]);
}

function bad(problems: readonly string[]): HeddleError {
  const message = problems.join('; ');
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_INPUT', message, sent: false });
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
}
