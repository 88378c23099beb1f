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

/** Temporal coupling of use cases: the share of the use of either that is use of both. */
export function addUseCaseCoupling(
  capabilities: readonly Capability[],
  useCases: readonly UseCase[],
  table: PairTable,
): void {
  const position = new Map(capabilities.map(({ name }, at) => [name, at]));
  const used = new Float64Array(capabilities.length);
  const members = useCases.map((useCase) =>
    [...membersOf(useCase)].map((name) => position.get(name) as number),
  );
  const both = new Map<number, { rate: number; names: string[] }>();
  useCases.forEach(({ name, rate }, at) => {
    const own = members[at] as number[];
    for (const each of own) used[each] = (used[each] as number) + rate;
    eachPair([own.toSorted((a, b) => a - b)], (a, b) => {
      const entry = both.get(a * table.size + b) ?? { rate: 0, names: [] };
      both.set(a * table.size + b, { rate: entry.rate + rate, names: [...entry.names, name] });
    });
  });
  for (const [key, { rate, names }] of both) {
    const a = Math.floor(key / table.size);
    const b = key - a * table.size;
    const either = (used[a] as number) + (used[b] as number) - rate;
    const few =
      names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
    if (either > 0) {
      table.add(a, b, { criterion: 'temporal', value: rate / either, evidence: `used together by ${few}` });
    }
  }
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
