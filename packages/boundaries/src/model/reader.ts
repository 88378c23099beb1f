import type { Problem } from './problem.ts';

type Path = Problem['path'];

/** Walks an unknown document and notes every problem with its place, instead of stopping at the first. */
export class Reader {
  readonly problems: Problem[] = [];

  /** Notes that something is wrong at that place. */
  report(path: Path, message: string): void {
    this.problems.push({ path, message });
  }

  /** The document's object; keys that are not listed are problems. Undefined if it is none. */
  object(value: unknown, path: Path, keys: readonly string[]): Record<string, unknown> | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.report(path, `expected an object with ${keys.join(', ')}; found ${kindOf(value)}`);
      return undefined;
    }
    for (const key of Object.keys(value)) {
      if (!keys.includes(key))
        this.report([...path, key], `unknown key "${key}"; known are ${keys.join(', ')}`);
    }
    return value as Record<string, unknown>;
  }

  /** The elements of a list with their places. A list that is absent is empty. */
  list(value: unknown, path: Path): readonly (readonly [value: unknown, path: Path])[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value.map((each: unknown, at) => [each, [...path, at]] as const);
    this.report(path, `expected a list; found ${kindOf(value)}`);
    return [];
  }

  /** A text that is not empty. Undefined, and a problem, if it is none. */
  text(value: unknown, path: Path): string | undefined {
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    this.report(path, `expected a text that is not empty; found ${kindOf(value)}`);
    return undefined;
  }

  /** As `text`, where there need be none. */
  optionalText(value: unknown, path: Path): string | undefined {
    return value === undefined || value === null ? undefined : this.text(value, path);
  }

  /** A list of texts, without repetitions. */
  texts(value: unknown, path: Path): string[] {
    const found = this.list(value, path).map(([each, place]) => this.text(each, place));
    return [...new Set(found.filter((each) => each !== undefined))];
  }

  /** A finite number between the bounds, where there need be none. */
  optionalNumber(value: unknown, path: Path, bounds: { min: number; max?: number }): number | undefined {
    if (value === undefined || value === null) return undefined;
    const { min, max = Number.POSITIVE_INFINITY } = bounds;
    if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return value;
    const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`;
    this.report(path, `expected a number ${range}; found ${kindOf(value)}`);
    return undefined;
  }

  /** True or false, where there need be none. */
  optionalFlag(value: unknown, path: Path): boolean | undefined {
    if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
    this.report(path, `expected true or false; found ${kindOf(value)}`);
    return undefined;
  }

  /** One of the words, where there need be none. */
  optionalWord<T extends string>(value: unknown, path: Path, words: readonly T[]): T | undefined {
    if (value === undefined || value === null) return undefined;
    const word = words.find((each) => each === value);
    if (word === undefined) this.report(path, `expected ${words.join(' or ')}; found ${kindOf(value)}`);
    return word;
  }
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}
