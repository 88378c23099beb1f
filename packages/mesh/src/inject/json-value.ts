/** Anything that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMembers;

/** An object of JSON; a member that is undefined is not there. */
export interface JsonMembers {
  readonly [name: string]: Json | undefined;
}

/** The members of an object; none where it is something else. */
export function membersIn(value: unknown): JsonMembers {
  return isMembers(value) ? value : {};
}

/** Whether it is an object, which a list is not. */
export function isMembers(value: unknown): value is JsonMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects in a list; none where it is something else. */
export function objectsIn(value: unknown): readonly JsonMembers[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

/** The texts among the members of an object. */
export function textsIn(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(membersIn(value)).filter(([, text]) => typeof text === 'string');
  return Object.fromEntries(entries) as Record<string, string>;
}

/** A text, a number or a truth value as a text; of anything else nothing. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

/** Whether two values say the same, whatever the order of members. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, at) => sameJson(each, b[at]));
  if (!isMembers(a) || !isMembers(b)) return false;
  const [those, others] = [namesOf(a), namesOf(b)];
  return those.length === others.length && those.every((name) => sameJson(a[name], b[name]));
}

/** The members that are there. */
export function namesOf(object: JsonMembers): readonly string[] {
  return Object.keys(object).filter((name) => object[name] !== undefined);
}
