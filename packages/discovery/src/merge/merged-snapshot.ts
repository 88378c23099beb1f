import { hostPort, type Instance } from '../registry/instance.ts';
import type { Snapshot } from '../registry/snapshot.ts';

/**
 * One snapshot of what several registries say of a service. Pure. `parts` come in order of precedence; undefined: that
 * registry has not been heard yet, and the whole is `stale` as long as that is so.
 *
 * An instance that several know (by its id, or by its address under another id) appears once, as the first says it.
 * The position is the sum of the parts', so it grows exactly when one of them does, and never goes back.
 */
export function mergedSnapshot(service: string, parts: readonly (Snapshot | undefined)[]): Snapshot {
  const heard = parts.filter((part) => part !== undefined);
  return {
    service,
    term: sum(heard.map(({ term }) => term)),
    revision: sum(heard.map(({ revision }) => revision)),
    ageMs: Math.max(0, ...heard.map(({ ageMs }) => ageMs)),
    stale: heard.length < parts.length || heard.some(({ stale }) => stale),
    source: heard.some(({ source }) => source === 'disk') ? 'disk' : 'registry',
    instances: mergedInstances(heard.map(({ instances }) => instances)),
    heldBack: sum(heard.map(({ heldBack }) => heldBack)),
  };
}

function mergedInstances(lists: readonly (readonly Instance[])[]): readonly Instance[] {
  const ids = new Set<string>();
  const places = new Set<string>();
  const merged: Instance[] = [];
  for (const list of lists) {
    // Within one registry two ids at one address are its own business.
    const added = list.filter((instance) => !ids.has(instance.id) && !places.has(hostPort(instance)));
    for (const instance of added) {
      ids.add(instance.id);
      places.add(hostPort(instance));
    }
    merged.push(...added);
  }
  return merged.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
