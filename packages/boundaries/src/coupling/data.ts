import type { Capability } from '../model/system.ts';
import { eachPair, type PairTable } from './pair-table.ts';

/** A reader can live with a copy or a call, a second writer cannot: so reading binds half as much. */
const readWeight = 0.5;

/**
 * Data coupling: the Jaccard index of the entities of both, each weighted by its use; where all are written it is the
 * plain index. An entity that more than a crowd uses makes no pair by itself.
 */
export function addDataCoupling(capabilities: readonly Capability[], table: PairTable): void {
  const uses = capabilities.map(weightsOf);
  const users = new Map<string, number[]>();
  uses.forEach((own, at) => {
    for (const entity of own.keys()) {
      const list = users.get(entity);
      if (list === undefined) users.set(entity, [at]);
      else list.push(at);
    }
  });
  const seen = new Set<number>();
  eachPair(users.values(), (a, b) => {
    const key = a * table.size + b;
    if (seen.has(key)) return;
    seen.add(key);
    table.add(a, b, { criterion: 'data', ...similarity(uses[a] as Uses, uses[b] as Uses) });
  });
}

type Uses = ReadonlyMap<string, number>;

function weightsOf({ entities }: Capability): Uses {
  const uses = new Map<string, number>();
  for (const { entity, access } of entities) {
    const weight = access === 'write' ? 1 : readWeight;
    uses.set(entity, Math.max(weight, uses.get(entity) ?? 0));
  }
  return uses;
}

function similarity(a: Uses, b: Uses): { value: number; evidence: string } {
  let [common, all] = [0, 0];
  const shared: string[] = [];
  for (const [entity, weight] of a) {
    const other = b.get(entity);
    if (other === undefined) {
      all += weight;
      continue;
    }
    common += Math.min(weight, other);
    all += Math.max(weight, other);
    shared.push(weight === 1 && other === 1 ? `${entity} (both write)` : entity);
  }
  for (const [entity, weight] of b) if (!a.has(entity)) all += weight;
  const count = a.size + b.size - shared.length;
  return { value: common / all, evidence: `shared ${shared.toSorted().join(', ')} of ${count} entities` };
}
