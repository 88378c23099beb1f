import { wholePattern } from '../../promql/go-pattern.ts';
import { textOf } from '../../promql/literals.ts';

/** Labels of an alert. */
export type AlertLabels = Readonly<Record<string, string>>;

/** A condition on a label, as Alertmanager's API writes it. A label that is not there is an empty one. */
export interface LabelMatcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

const pattern = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:("(?:[^"\\]|\\.)*")|([^"{}]*?))\s*$/s;

/** Reads `severity="critical"`, `job=~"a|b"`, `team!=x`; a sentence that says what is wrong, if it is. */
export function readMatcher(text: string): LabelMatcher | string {
  const [, name, operator, quoted, bare] = pattern.exec(text) ?? [];
  if (name === undefined || operator === undefined)
    return `expected a matcher such as severity="critical", found ${JSON.stringify(text.slice(0, 80))}`;
  const value = quoted === undefined ? (bare ?? '') : textOf(quoted);
  const matcher = { name, value, isRegex: operator.includes('~'), isEqual: !operator.startsWith('!') };
  return problemOf(matcher) ?? matcher;
}

/** Reads `{a="b", c=~"d"}` or the same without braces. */
export function readMatchers(text: string): readonly LabelMatcher[] | string {
  const inside = text.trim().replace(/^\{(.*)\}$/s, '$1');
  const parts = inside.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/gs) ?? [];
  const read = parts.map(readMatcher);
  const wrong = read.find((each) => typeof each === 'string');
  return wrong ?? read.filter((each) => typeof each !== 'string');
}

/** What is wrong with a matcher; undefined if nothing is. */
export function problemOf({ value, isRegex }: LabelMatcher): string | undefined {
  if (!isRegex) return undefined;
  try {
    wholePattern(value);
    return undefined;
  } catch {
    return `expected a regular expression, found ${JSON.stringify(value.slice(0, 80))}`;
  }
}

// Patterns are few, and looked at by every alert.
const compiled = new Map<string, RegExp>();
const mostCompiled = 10_000;

function compiledOf(value: string): RegExp {
  let known = compiled.get(value);
  if (known === undefined) {
    if (compiled.size >= mostCompiled) compiled.clear();
    known = wholePattern(value);
    compiled.set(value, known);
  }
  return known;
}

/** Whether labels meet all matchers. */
export function meets(labels: AlertLabels, matchers: readonly LabelMatcher[]): boolean {
  return matchers.every(({ name, value, isRegex, isEqual }) => {
    const found = labels[name] ?? '';
    return (isRegex ? compiledOf(value).test(found) : found === value) === isEqual;
  });
}

/** As it is written. */
export function matcherText({ name, value, isRegex, isEqual }: LabelMatcher): string {
  const operator = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
  return `${name}${operator}${JSON.stringify(value)}`;
}

/** Sixteen hex digits that are the same for the same labels: FNV-1a, as Prometheus and Alertmanager make it. */
export function fingerprintOf(labels: AlertLabels): string {
  let hash = 0xcbf2_9ce4_8422_2325n;
  const take = (byte: number): void => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n);
  };
  const encoder = new TextEncoder();
  for (const name of Object.keys(labels).toSorted())
    for (const text of [name, labels[name] ?? '']) {
      for (const byte of encoder.encode(text)) take(byte);
      take(0xff);
    }
  return hash.toString(16).padStart(16, '0');
}
