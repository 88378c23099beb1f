import type { CoupledPair, Coupling } from '../coupling/coupling.ts';
import type { Partition } from '../grouping/partition.ts';
import type { Capability } from '../model/system.ts';
import { kebab, membersOf } from './naming.ts';
import type { EntityOwner } from './ownership.ts';

/** An operation that others may call. */
export interface ApiContract {
  readonly operation: string;
  readonly path: string;
  /** The services that depend on its capability. */
  readonly consumers: readonly string[];
}

/** A bond between two capabilities, with what it is made from. */
export interface Bond {
  readonly a: string;
  readonly b: string;
  readonly coupling: number;
  readonly because: readonly string[];
}

/** A proposed service. */
export interface ServiceReport {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly owns: readonly string[];
  readonly contracts: readonly ApiContract[];
  readonly teams: readonly { readonly team: string; readonly capabilities: number }[];
  readonly complexity: number;
  /** The mean coupling of the pairs within, by criterion and in all; undefined for a single capability. */
  readonly cohesion: number | undefined;
  readonly cohesionBy: Readonly<Record<string, number>>;
  /** The share of its capabilities' coupling that goes to other services: 0 stands alone. */
  readonly coupling: number;
  readonly calls: readonly string[];
  /** The share of its bonds that are kept or cut alike when every coupling changes by up to a tenth: 1 all. */
  readonly stability: number;
  /** The strongest bonds within: why it is one service. */
  readonly strongest: readonly Bond[];
  /** The strongest bonds that it cuts: what speaks against it. */
  readonly cut: readonly Bond[];
}

/** What the parts of a report have in common. */
export interface Proposal {
  readonly coupling: Coupling;
  readonly partition: Partition;
  readonly names: readonly string[];
  readonly stability: Float64Array;
  readonly owners: readonly EntityOwner[];
}

const shownBonds = 3;

/** Describes each group of a proposal. */
export function servicesOf(proposal: Proposal): ServiceReport[] {
  const { coupling, partition, names, owners, stability } = proposal;
  const position = new Map(coupling.capabilities.map(({ name }, at) => [name, at]));
  const groupOf = (name: string): number => partition[position.get(name) as number] as number;
  const pairs = pairsByGroup(proposal);
  const consumers = consumersOf(coupling.capabilities, groupOf, names);
  const owned = Map.groupBy(owners, ({ owner }) => owner);
  return membersOf(partition).map((members, group) => {
    const capabilities = members.map((at) => coupling.capabilities[at] as Capability);
    const { within, across } = pairs[group] as PairsOfGroup;
    const inner = sum(within);
    const all = 2 * inner + sum(across);
    const possible = (members.length * (members.length - 1)) / 2;
    return {
      name: names[group] as string,
      capabilities: capabilities.map(({ name }) => name),
      owns: (owned.get(names[group] as string) ?? []).map(({ entity }) => entity),
      contracts: capabilities.flatMap((each) => contractsOf(each, consumers)),
      teams: teamsOf(capabilities),
      complexity: capabilities.reduce((all, { complexity }) => all + complexity, 0),
      cohesion: possible === 0 ? undefined : inner / possible,
      cohesionBy: byCriterion(within, possible),
      coupling: all === 0 ? 0 : sum(across) / all,
      calls: callsOf(capabilities, group, groupOf, names),
      stability: members.reduce((all, at) => all + (stability[at] as number), 0) / members.length,
      strongest: bonds(coupling, within),
      cut: bonds(coupling, across),
    };
  });
}

interface PairsOfGroup {
  readonly within: CoupledPair[];
  readonly across: CoupledPair[];
}

/** Only what pulls together: what pushes apart is a reason, not a bond. */
function pairsByGroup({ coupling, partition, names }: Proposal): PairsOfGroup[] {
  const groups = names.map((): PairsOfGroup => ({ within: [], across: [] }));
  for (const pair of coupling.pairs) {
    if (pair.coupling <= 0) continue;
    const [a, b] = [partition[pair.a] as number, partition[pair.b] as number];
    if (a === b) groups[a]?.within.push(pair);
    else for (const group of [a, b]) groups[group]?.across.push(pair);
  }
  return groups;
}

function sum(pairs: readonly CoupledPair[]): number {
  return pairs.reduce((all, { coupling }) => all + coupling, 0);
}

function byCriterion(pairs: readonly CoupledPair[], possible: number): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { parts } of pairs) {
    for (const { criterion, value } of parts) sums[criterion] = (sums[criterion] ?? 0) + value / possible;
  }
  return sums;
}

function bonds({ capabilities }: Coupling, pairs: readonly CoupledPair[]): Bond[] {
  const strongest = pairs.toSorted((x, y) => y.coupling - x.coupling || x.a - y.a || x.b - y.b);
  return strongest.slice(0, shownBonds).map(({ a, b, coupling, parts }) => ({
    a: capabilities[a]?.name ?? '',
    b: capabilities[b]?.name ?? '',
    coupling,
    because: parts.map(({ criterion, value, evidence }) => `${criterion} ${value.toFixed(2)}: ${evidence}`),
  }));
}

function consumersOf(
  capabilities: readonly Capability[],
  groupOf: (name: string) => number,
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const consumers = new Map<string, Set<string>>();
  for (const { name, dependencies } of capabilities) {
    for (const { on } of dependencies) {
      if (groupOf(name) === groupOf(on)) continue;
      const own = consumers.get(on) ?? new Set();
      consumers.set(on, own.add(names[groupOf(name)] as string));
    }
  }
  return new Map([...consumers].map(([name, services]) => [name, [...services].sort()]));
}

function contractsOf(
  { name, operations }: Capability,
  consumers: ReadonlyMap<string, readonly string[]>,
): ApiContract[] {
  return operations.map((operation) => ({
    operation,
    path: `/${kebab(name)}/${operation.replace(/^[A-Z]+ /, '').replace(/^\//, '')}`,
    consumers: consumers.get(name) ?? [],
  }));
}

function teamsOf(capabilities: readonly Capability[]): ServiceReport['teams'] {
  const counts = new Map<string, number>();
  for (const { team } of capabilities) if (team !== undefined) counts.set(team, (counts.get(team) ?? 0) + 1);
  return [...counts]
    .sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1))
    .map(([team, count]) => ({ team, capabilities: count }));
}

function callsOf(
  capabilities: readonly Capability[],
  group: number,
  groupOf: (name: string) => number,
  names: readonly string[],
): string[] {
  const called = capabilities.flatMap(({ dependencies }) => dependencies.map(({ on }) => groupOf(on)));
  return [...new Set(called)]
    .filter((other) => other !== group)
    .map((other) => names[other] as string)
    .sort();
}
