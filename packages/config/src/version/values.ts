import { HeddleError } from '@heddle/kernel';

/** What a key may hold: JSON. An object with one key that begins with `$` is a reference or a secret (see `references.ts`). */
export type ConfigValue =
  | string
  | number
  | boolean
  | null
  | readonly ConfigValue[]
  | { readonly [key: string]: ConfigValue };

/** Values by key; a key has parts between dots: `pool.max` is `max` in `pool`. */
export type Values = Readonly<Record<string, ConfigValue>>;

/** Limits of one place: all of it is sent to every client that follows it. */
export const limits: Readonly<Record<'keys' | 'keyLength' | 'bytes' | 'depth', number>> = {
  keys: 1000,
  keyLength: 200,
  // Twice, since a gray release has values of its own; Consul takes 512 KiB for a key.
  bytes: 200 * 1024,
  depth: 32,
};

const key = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
// They would reach into the prototype of what is built from the keys.
const reserved: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Throws `invalid_argument` / `BAD_VALUES` with every problem: keys, depth, size, a key inside another one's value. */
export function checkValues(values: unknown): asserts values is Values {
  const problems = problemsOf(values);
  if (problems.length === 0) return;
  const shown = problems.slice(0, 20).join('; ');
  const message = `the values: ${shown}${problems.length > 20 ? `; and ${problems.length - 20} more` : ''}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_VALUES', message, sent: false });
}

function problemsOf(values: unknown): string[] {
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    return ['expected an object of values by key'];
  const keys = Object.keys(values);
  const problems: string[] = [];
  if (keys.length > limits.keys) return [`expected at most ${limits.keys} keys, found ${keys.length}`];
  for (const [one, value] of Object.entries(values)) {
    if (!isKey(one))
      problems.push(
        `"${one.slice(0, 80)}": expected letters, digits, "_" and "-" with dots between, at most ${limits.keyLength}`,
      );
    const wrong = valueProblem(value, 1);
    if (wrong !== undefined) problems.push(`${one.slice(0, 80)}: ${wrong}`);
  }
  problems.push(...nestings(keys));
  if (problems.length > 0) return problems;
  const bytes = new TextEncoder().encode(JSON.stringify(values)).byteLength;
  return bytes > limits.bytes ? [`expected at most ${limits.bytes} bytes as JSON, found ${bytes}`] : [];
}

/** Whether text is the name of a value. */
export function isKey(text: string): boolean {
  return (
    text.length <= limits.keyLength && key.test(text) && !text.split('.').some((part) => reserved.has(part))
  );
}

function valueProblem(value: unknown, depth: number): string | undefined {
  if (depth > limits.depth) return `expected at most ${limits.depth} levels`;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : `expected a finite number, found ${value}`;
  if (typeof value !== 'object') return `expected JSON, found ${typeof value}`;
  for (const [name, inner] of Object.entries(value)) {
    if (reserved.has(name)) return `the name "${name}" is not taken`;
    const wrong = valueProblem(inner, depth + 1);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** `a` and `a.b` cannot both be: the one would be inside the other. */
function nestings(keys: readonly string[]): string[] {
  const all = new Set(keys);
  return keys.flatMap((one) => {
    const parts = one.split('.');
    const outer = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('.'));
    return outer
      .filter((other) => all.has(other))
      .map((other) => `"${one}" lies in "${other}", which is a value itself`);
  });
}

/** Whether two values are the same JSON, whatever the order of their names. */
export function sameValue(one: ConfigValue | undefined, other: ConfigValue | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [own, theirs] = [Object.entries(one), new Map(Object.entries(other))];
  return (
    own.length === theirs.size &&
    own.every(([name, value]) => theirs.has(name) && sameValue(value, theirs.get(name)))
  );
}
