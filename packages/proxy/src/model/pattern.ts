import { RE2JS } from 're2js';

/** A regular expression that takes time linear in the text, whatever the text. */
export interface Pattern {
  /** True if it matches all of the text. */
  matches(text: string): boolean;
  /** The text with every match replaced; `$1` stands for the first group, `$$` for a dollar sign. */
  replace(text: string, to: string): string;
}

/** Longer patterns are no patterns that people can read. */
const longest = 1000;

/** The most a pattern may repeat by count: `(a{1000}){1000}` would take all memory. */
const mostRepeats = 1000;

/** Compiles a pattern of RE2's syntax (no look-around, no back references). Gives a message if it is none. */
export function pattern(source: string): Pattern | string {
  if (source.length > longest) return `expected a pattern of at most ${longest} characters`;
  if (repeats(source) > mostRepeats) return `expected at most ${mostRepeats} counted repetitions`;
  try {
    const compiled = RE2JS.compile(source);
    return {
      matches: (text) => compiled.matches(text),
      replace: (text: string, to: string): string => compiled.matcher(text).replaceAll(to),
    };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

/** A pattern that has been checked when it was read. */
export function checkedPattern(source: string): Pattern {
  const made = pattern(source);
  if (typeof made === 'string') throw new TypeError(`an unchecked pattern: ${made}`);
  return made;
}

/** The product of all counted repetitions, which bounds how much larger than its text the program gets. */
function repeats(source: string): number {
  let product = 1;
  for (const [, most, end] of source.matchAll(/\{(\d+)(?:,(\d*))?\}/g))
    product *= Math.max(1, Number(end === undefined || end === '' ? most : end));
  return product;
}
