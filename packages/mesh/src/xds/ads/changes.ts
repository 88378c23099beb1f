import type { Resources } from './resource.ts';

const known = new WeakMap<Resources, WeakMap<Resources, readonly string[]>>();

/**
 * The names whose resource is not the same in both, those in one of them alone included. Most of many proxies have the
 * same before and are to have the same after, so each pair is compared once.
 */
export function changesBetween(before: Resources, after: Resources): readonly string[] {
  if (before === after) return [];
  const ofBefore = known.get(before) ?? new WeakMap<Resources, readonly string[]>();
  known.set(before, ofBefore);
  const found = ofBefore.get(after) ?? compared(before, after);
  ofBefore.set(after, found);
  return found;
}

function compared(before: Resources, after: Resources): readonly string[] {
  const changed: string[] = [];
  for (const [name, resource] of after) {
    const old = before.get(name);
    if (old !== resource && old?.version !== resource.version) changed.push(name);
  }
  for (const name of before.keys()) if (!after.has(name)) changed.push(name);
  return changed;
}

const unions = new WeakMap<Resources, WeakMap<Resources, Resources>>();

/** What is to be, and of what was, that which is to go: until nobody refers to it any more. */
export function withLeaving(before: Resources, after: Resources): Resources {
  const ofBefore = unions.get(before) ?? new WeakMap<Resources, Resources>();
  unions.set(before, ofBefore);
  const found = ofBefore.get(after) ?? union(before, after);
  ofBefore.set(after, found);
  return found;
}

function union(before: Resources, after: Resources): Resources {
  const leaving = [...before].filter(([name]) => !after.has(name));
  return leaving.length === 0 ? after : new Map([...after, ...leaving]);
}
