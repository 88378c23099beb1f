import type { Capability, Constraints } from '../model/system.ts';
import { UnionFind } from '../model/union-find.ts';

/** What the nodes of a graph are, as far as constraints ask. A node stands for one capability or for several. */
export interface Bodies {
  readonly size: Int32Array;
  readonly complexity: Float64Array;
  /** -1: none. */
  readonly team: Int32Array;
  /** The nodes that each node must not meet. */
  readonly apart: readonly (readonly number[])[];
  /** Nodes are taken in this order; see `ranksOf`. */
  readonly rank: Float64Array;
}

/** What a group may be. */
export interface Limits {
  readonly maxSize: number;
  readonly maxComplexity: number;
  readonly oneTeam: boolean;
}

/** The limits of the constraints; infinite where there is none. */
export function limitsOf({ maxSize, maxComplexity, oneTeamPerService }: Constraints): Limits {
  return {
    maxSize: maxSize ?? Number.POSITIVE_INFINITY,
    maxComplexity: maxComplexity ?? Number.POSITIVE_INFINITY,
    oneTeam: oneTeamPerService,
  };
}

/** The node of each capability: one for all that must be together. */
export function linked(capabilities: readonly Capability[], { mustLink }: Constraints): Int32Array {
  const together = new UnionFind();
  for (const [head, ...rest] of mustLink) for (const name of rest) together.join(head as string, name);
  const groupOf = new Map<string, number>();
  together.groups().forEach((names, at) => {
    for (const name of names) groupOf.set(name, at);
  });
  const nodes = new Map<string | number, number>();
  return Int32Array.from(capabilities, ({ name }) => {
    const key = groupOf.get(name) ?? name;
    const known = nodes.get(key);
    if (known !== undefined) return known;
    nodes.set(key, nodes.size);
    return nodes.size - 1;
  });
}

/** One body for each capability. */
export function bodiesOf(
  capabilities: readonly Capability[],
  { cannotLink }: Constraints,
  rank: Float64Array,
): Bodies {
  const teams = new Map<string, number>();
  const position = new Map(capabilities.map(({ name }, at) => [name, at]));
  const apart = new Map<number, Set<number>>();
  for (const group of cannotLink) {
    const members = group.map((name) => position.get(name)).filter((at) => at !== undefined);
    for (const each of members) {
      const others = apart.get(each) ?? new Set();
      for (const other of members) if (other !== each) others.add(other);
      apart.set(each, others);
    }
  }
  return {
    size: new Int32Array(capabilities.length).fill(1),
    complexity: Float64Array.from(capabilities, ({ complexity }) => complexity),
    team: Int32Array.from(capabilities, ({ team }) => {
      if (team === undefined) return -1;
      if (!teams.has(team)) teams.set(team, teams.size);
      return teams.get(team) as number;
    }),
    apart: capabilities.map((_, at) => [...(apart.get(at) ?? [])]),
    rank,
  };
}

/** The bodies of merged nodes. Those that are merged must be allowed to be together. */
export function mergedBodies(bodies: Bodies, merged: Int32Array, count: number): Bodies {
  const size = new Int32Array(count);
  const complexity = new Float64Array(count);
  const team = new Int32Array(count).fill(-1);
  const rank = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const apart = Array.from({ length: count }, () => new Set<number>());
  merged.forEach((node, at) => {
    size[node] = (size[node] as number) + (bodies.size[at] as number);
    complexity[node] = (complexity[node] as number) + (bodies.complexity[at] as number);
    rank[node] = Math.min(rank[node] as number, bodies.rank[at] as number);
    if ((bodies.team[at] as number) >= 0) team[node] = bodies.team[at] as number;
    for (const other of bodies.apart[at] as readonly number[]) apart[node]?.add(merged[other] as number);
  });
  return { size, complexity, team, rank, apart: apart.map((others) => [...others]) };
}
