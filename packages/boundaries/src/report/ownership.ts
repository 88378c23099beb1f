import type { Capability } from '../model/system.ts';

/** Who keeps an entity, and who else uses it. */
export interface EntityOwner {
  readonly entity: string;
  /** The one service that keeps it: the one with most writers; of equals the one with most users. */
  readonly owner: string;
  /** All services that write it. More than one is a conflict. */
  readonly writers: readonly string[];
  readonly readers: readonly string[];
  readonly conflict: boolean;
  /** Which capabilities write it in which service. */
  readonly evidence: string;
}

interface Use {
  readonly service: string;
  readonly capability: string;
  readonly writes: boolean;
}

/** One owner for each entity that any capability uses, in the order of their names. */
export function ownersOf(
  capabilities: readonly Capability[],
  serviceOf: (capability: Capability) => string,
): EntityOwner[] {
  const uses = new Map<string, Use[]>();
  for (const capability of capabilities) {
    for (const { entity, access } of capability.entities) {
      const list = uses.get(entity) ?? [];
      list.push({ service: serviceOf(capability), capability: capability.name, writes: access === 'write' });
      uses.set(entity, list);
    }
  }
  return [...uses]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([entity, all]) => {
      const writing = all.filter(({ writes }) => writes);
      const writers = servicesOf(writing, all);
      const users = servicesOf(all);
      const evidence = writing.map(({ capability, service }) => `${capability} (${service})`).join(', ');
      return {
        entity,
        owner: (writers[0] ?? users[0]) as string,
        writers,
        readers: users.filter((service) => !writers.includes(service)),
        conflict: writers.length > 1,
        evidence: evidence === '' ? 'nobody writes it' : `written by ${evidence}`,
      };
    });
}

/** The services of uses: those with most of them first, of equals those with most uses of any kind, then by name. */
function servicesOf(uses: readonly Use[], all: readonly Use[] = uses): string[] {
  const count = (some: readonly Use[], service: string): number =>
    some.filter((use) => use.service === service).length;
  return [...new Set(uses.map(({ service }) => service))].sort(
    (x, y) => count(uses, y) - count(uses, x) || count(all, y) - count(all, x) || (x < y ? -1 : 1),
  );
}
