import type { Coupling } from '../coupling/coupling.ts';
import type { Partition } from '../grouping/partition.ts';

/** The members of each group, by position. */
export function membersOf(partition: Partition): number[][] {
  const members: number[][] = [];
  partition.forEach((group, at) => {
    const own = members[group];
    if (own === undefined) members[group] = [at];
    else own.push(at);
  });
  return members;
}

/**
 * A name for each group: that of the service that most of it belongs to today; otherwise that of the capability that
 * holds it together. No two are the same.
 */
export function serviceNames(coupling: Coupling, partition: Partition): string[] {
  const inner = new Float64Array(partition.length);
  for (const { a, b, coupling: weight } of coupling.pairs) {
    if (partition[a] !== partition[b]) continue;
    inner[a] = (inner[a] as number) + weight;
    inner[b] = (inner[b] as number) + weight;
  }
  const taken = new Set<string>();
  return membersOf(partition).map((members) => {
    const wanted =
      today(coupling, members) ?? kebab(coupling.capabilities[central(members, inner)]?.name ?? '');
    let name = wanted;
    for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
    taken.add(name);
    return name;
  });
}

function today({ capabilities }: Coupling, members: readonly number[]): string | undefined {
  const counts = new Map<string, number>();
  for (const at of members) {
    const service = capabilities[at]?.service;
    if (service !== undefined) counts.set(service, (counts.get(service) ?? 0) + 1);
  }
  return [...counts].find(([, count]) => count > members.length / 2)?.[0];
}

function central(members: readonly number[], inner: Float64Array): number {
  return members.reduce(
    (best, at) => ((inner[at] as number) > (inner[best] as number) ? at : best),
    members[0] ?? 0,
  );
}

/** `UserManagement`, `user_management` and `shop.UserManagement` are `user-management`. */
export function kebab(name: string): string {
  const last = name.split(/[.:/](?=[^.:/])/).at(-1) ?? name;
  return last
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .replace(/[^\p{L}\d]+/gu, '-')
    .replace(/^-|-$/g, '')
    .toLowerCase();
}
