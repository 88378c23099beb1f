import type { Capability, UseCase } from '../model/system.ts';
import { crowd, eachPair, type PairTable } from './pair-table.ts';

/**
 * Team coupling: 1 for the same team. Different teams are no cost: nobody calls two things coupled because
 * different people own them. In a crowded team it only strengthens what is coupled otherwise.
 */
export function addTeamCoupling(capabilities: readonly Capability[], table: PairTable): void {
  addLikeness(
    capabilities,
    table,
    'team',
    ({ team }) => team,
    (team) => `both are owned by ${team}`,
  );
}

/** Spatial coupling: 1 for running in the same place; and near 1 for an answer that must come at once. */
export function addSpatialCoupling(capabilities: readonly Capability[], table: PairTable): void {
  const evidence = (place: string): string => `both run in ${place}`;
  addLikeness(capabilities, table, 'spatial', ({ deployment }) => deployment, evidence);
  const position = new Map(capabilities.map(({ name }, at) => [name, at]));
  capabilities.forEach(({ name, dependencies }, from) => {
    for (const { on, latencyBudgetMs } of dependencies) {
      if (latencyBudgetMs === undefined) continue;
      // Ten milliseconds: about what a call across a network costs when all goes well, with some room.
      const value = 10 / (10 + latencyBudgetMs);
      const why = `${name} needs the answer of ${on} within ${latencyBudgetMs} ms`;
      table.add(from, position.get(on) as number, { criterion: 'spatial', value, evidence: why });
    }
  });
}

/**
 * Temporal coupling of use cases: the share of the use of either that is use of both. A use case of many says little
 * of any two of them, so its rate counts by one over the number of the others (Newman, Phys. Rev. E 64, 2001).
 */
export function addUseCaseCoupling(
  capabilities: readonly Capability[],
  useCases: readonly UseCase[],
  table: PairTable,
): void {
  const position = new Map(capabilities.map(({ name }, at) => [name, at]));
  const used = new Float64Array(capabilities.length);
  const both = new Map<number, Together>();
  for (const useCase of useCases) {
    const { name, rate } = useCase;
    const own = [...membersOf(useCase)].map((member) => position.get(member) as number);
    own.sort((a, b) => a - b);
    for (const each of own) used[each] = (used[each] as number) + rate;
    eachPair([own], (a, b) => {
      const entry = both.get(a * table.size + b) ?? { rate: 0, counted: 0, names: [] };
      entry.rate += rate;
      entry.counted += rate / (own.length - 1);
      entry.names.push(name);
      both.set(a * table.size + b, entry);
    });
  }
  for (const [key, { rate, counted, names }] of both) {
    const a = Math.floor(key / table.size);
    const b = key - a * table.size;
    const either = (used[a] as number) + (used[b] as number) - rate;
    const few = names.slice(0, 3).join(', ');
    const evidence = `used together by ${few}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
    if (either > 0) table.add(a, b, { criterion: 'temporal', value: counted / either, evidence });
  }
}

interface Together {
  rate: number;
  /** By one over the number of the others. */
  counted: number;
  readonly names: string[];
}

/** All capabilities that a use case names, in whatever way. */
export function membersOf({ capabilities, calls }: UseCase): Set<string> {
  return new Set([...capabilities, ...calls.flatMap(({ from, to }) => [from, to])]);
}

function addLikeness(
  capabilities: readonly Capability[],
  table: PairTable,
  criterion: string,
  labelOf: (capability: Capability) => string | undefined,
  evidence: (label: string) => string,
): void {
  const labels = capabilities.map(labelOf);
  const groups = Map.groupBy(labels.keys(), (at) => labels[at]);
  groups.delete(undefined);
  eachPair(groups.values(), (a, b) => {
    table.add(a, b, { criterion, value: 1, evidence: evidence(labels[a] as string) });
  });
  const crowded = new Set(
    [...groups].filter(([, members]) => members.length > crowd).map(([label]) => label),
  );
  if (crowded.size === 0) return;
  for (const [a, b] of Array.from(table.entries())) {
    const label = labels[a];
    if (label === undefined || label !== labels[b] || !crowded.has(label)) continue;
    table.add(a, b, { criterion, value: 1, evidence: evidence(label) });
  }
}
