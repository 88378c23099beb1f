import { isMembers, type Json, type JsonMembers, namesOf, sameJson } from './json-value.ts';

/** A step of RFC 6902, its path as steps: names of members and places in lists. */
export type PatchStep =
  | { readonly op: 'add' | 'replace'; readonly path: readonly (string | number)[]; readonly value: Json }
  | { readonly op: 'remove'; readonly path: readonly (string | number)[] };

/**
 * What makes `after` of `before`, applied in this order. Only what differs is named: a list keeps the items at its
 * beginning and its end that are the same in both.
 */
export function jsonPatch(before: Json, after: Json): readonly PatchStep[] {
  const steps: PatchStep[] = [];
  difference(before, after, [], steps);
  return steps;
}

/** The steps as RFC 6902 writes them. */
export function writtenPatch(steps: readonly PatchStep[]): readonly JsonMembers[] {
  return steps.map((step) => ({ ...step, path: step.path.map((each) => `/${escaped(each)}`).join('') }));
}

function escaped(step: string | number): string {
  return String(step).replaceAll('~', '~0').replaceAll('/', '~1');
}

type Path = readonly (string | number)[];

function difference(before: Json, after: Json, path: Path, steps: PatchStep[]): void {
  if (sameJson(before, after)) return;
  if (isMembers(before) && isMembers(after)) members(before, after, path, steps);
  else if (Array.isArray(before) && Array.isArray(after)) items(before, after, path, steps);
  else steps.push({ op: 'replace', path, value: after });
}

function members(before: JsonMembers, after: JsonMembers, path: Path, steps: PatchStep[]): void {
  for (const name of namesOf(before))
    if (after[name] === undefined) steps.push({ op: 'remove', path: [...path, name] });
  for (const name of namesOf(after)) {
    const [was, is] = [before[name], after[name]];
    if (is === undefined) continue;
    if (was === undefined) steps.push({ op: 'add', path: [...path, name], value: is });
    else difference(was, is, [...path, name], steps);
  }
}

function items(before: readonly Json[], after: readonly Json[], path: Path, steps: PatchStep[]): void {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && sameJson(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && sameJson(before.at(-1 - end), after.at(-1 - end))) end += 1;
  const [old, young] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  const both = Math.min(old.length, young.length);
  for (let at = 0; at < both; at += 1)
    difference(old[at] ?? null, young[at] ?? null, [...path, start + at], steps);
  for (let at = old.length - 1; at >= both; at -= 1)
    steps.push({ op: 'remove', path: [...path, start + at] });
  for (const [at, value] of young.slice(both).entries())
    steps.push({ op: 'add', path: [...path, start + both + at], value });
}
