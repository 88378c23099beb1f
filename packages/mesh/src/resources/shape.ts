/** Where a value lies in its document: keys and indices from the root. */
export type Path = readonly (string | number)[];

/** What is told about a value that is not as its shape says. */
export type Problem =
  | { readonly is: 'unknown-key'; readonly key: string; readonly known: readonly string[] }
  | { readonly is: 'missing-key'; readonly key: string }
  | { readonly is: 'wrong-value'; readonly expected: string; readonly found: unknown };

/** Hears of a problem at a place. */
export type Report = (at: Path, problem: Problem) => void;

/**
 * What a value of a resource must look like. Shapes are closed: an object with a key that is not in it has a
 * problem. Reading goes on after a problem, so that all of them are heard of at once and what is right can still
 * be looked at.
 */
export interface Shape<T> {
  /** For messages: "a whole number from 0 to 65535". */
  readonly what: string;
  /** What stands in for a value that is missing or cannot be read, so that places in lists stay what they are. */
  readonly blank: T;
  /** The value without what is wrong in it; undefined (reported) when nothing of it can be used. */
  readonly read: (value: unknown, at: Path, report: Report) => T | undefined;
  /** The keys of an object, with their shapes; to compare shapes with published schemas. */
  readonly fields?: Readonly<Record<string, Shape<unknown>>>;
  /** The shape of the values of a list or a map. */
  readonly of?: Shape<unknown>;
}

/** How each key of an object is read. */
export type Fields<T> = { readonly [K in keyof T]-?: Shape<NonNullable<T[K]>> };

/** A text; `holds` and `what` narrow it down. */
export function text(what = 'a text', holds: (value: string) => boolean = () => true): Shape<string> {
  return scalar(what, '', (value): value is string => typeof value === 'string' && holds(value));
}

/** A number within bounds, with fractions. */
export function number(least: number, most: number): Shape<number> {
  return scalar(
    `a number from ${least} to ${most}`,
    least,
    (value): value is number => typeof value === 'number' && value >= least && value <= most,
  );
}

/** A whole number within bounds. */
export function whole(least = 0, most = 4_294_967_295): Shape<number> {
  return scalar(
    `a whole number from ${least} to ${most}`,
    least,
    (value): value is number =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most,
  );
}

/** True or false. */
export const flag: Shape<boolean> = scalar(
  'true or false',
  false,
  (value): value is boolean => typeof value === 'boolean',
);

/** Whatever is written; nothing is expected of it. */
export const anything: Shape<NonNullable<unknown>> = {
  what: 'anything',
  blank: {},
  read: (value) => value ?? undefined,
};

/** One of some words; the first stands in for a wrong one. */
export function oneOf<const T extends string>(first: T, ...others: readonly T[]): Shape<T> {
  const words: readonly string[] = [first, ...others];
  return scalar(
    `one of ${words.join(', ')}`,
    first,
    (value): value is T => typeof value === 'string' && words.includes(value),
  );
}

/** A value that has either of two forms, such as a port that is a number or a name. */
export function either<A, B>(one: Shape<A>, other: Shape<B>): Shape<A | B> {
  const what = `${one.what} or ${other.what}`;
  return {
    what,
    blank: one.blank,
    read(value, at, report) {
      const silent = (): void => {};
      const read = one.read(value, at, silent) ?? other.read(value, at, silent);
      if (read === undefined) report(at, { is: 'wrong-value', expected: what, found: value });
      return read;
    },
  };
}

/** A list, each item read on its own, so that one bad item does not hide the problems of the next. */
export function list<T>(of: Shape<T>): Shape<readonly T[]> {
  return {
    what: `a list of which each is ${of.what}`,
    blank: [],
    of,
    read(value, at, report) {
      if (!Array.isArray(value)) return refuse('a list', value, at, report);
      return value.map((item: unknown, index) => of.read(item, [...at, index], report) ?? of.blank);
    },
  };
}

/** An object with any keys. */
export function map<T>(of: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    what: `an object of which each value is ${of.what}`,
    blank: {},
    of,
    read(value, at, report) {
      if (!isObject(value)) return refuse('an object from names to values', value, at, report);
      const read = Object.entries(value).map(
        ([key, item]) => [key, of.read(item ?? undefined, [...at, key], report) ?? of.blank] as const,
      );
      return Object.fromEntries(read);
    },
  };
}

/** A closed object: `required` keys must be there, no others than those of `fields` may. A null is no value. */
export function object<T extends object>(
  fields: Fields<T>,
  required: readonly (keyof T & string)[] = [],
): Shape<T> {
  return objectOf(fields, required, true);
}

/** An object of which only some keys matter here; the others are another program's. */
export function openObject<T extends object>(
  fields: Fields<T>,
  required: readonly (keyof T & string)[] = [],
): Shape<T> {
  return objectOf(fields, required, false);
}

function objectOf<T extends object>(
  fields: Fields<T>,
  required: readonly (keyof T & string)[],
  closed: boolean,
): Shape<T> {
  const shapes = fields as Readonly<Record<string, Shape<unknown>>>;
  const known = Object.keys(shapes);
  const shapeOf = (key: string): Shape<unknown> | undefined =>
    Object.hasOwn(shapes, key) ? shapes[key] : undefined;
  const blank = (): T => Object.fromEntries(required.map((key) => [key, shapeOf(key)?.blank])) as T;
  return {
    what: `an object with ${known.join(', ')}`,
    blank: blank(),
    ...(closed && { fields: shapes }),
    read(value, at, report) {
      if (!isObject(value)) return refuse(`an object with ${known.join(', ')}`, value, at, report);
      const read: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(value)) {
        const shape = shapeOf(key);
        if (shape === undefined && closed) report([...at, key], { is: 'unknown-key', key, known });
        if (shape === undefined || item === null) continue;
        const one = shape.read(item, [...at, key], report);
        if (one !== undefined) read[key] = one;
      }
      for (const key of required) {
        if ((value[key] ?? undefined) === undefined) report(at, { is: 'missing-key', key });
      }
      return { ...blank(), ...read };
    },
  };
}

function scalar<T>(what: string, blank: T, holds: (value: unknown) => value is T): Shape<T> {
  return {
    what,
    blank,
    read: (value, at, report) => (holds(value) ? value : refuse(what, value, at, report)),
  };
}

function refuse(expected: string, found: unknown, at: Path, report: Report): undefined {
  report(at, { is: 'wrong-value', expected, found });
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
