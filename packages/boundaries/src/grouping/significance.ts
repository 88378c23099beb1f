import { type Bodies, limitsOf } from './bodies.ts';
import { unconstrained } from '../model/system.ts';
import { edgesOfGraph, type Edges, type Graph, graphOf } from './graph.ts';
import { leiden, modularityOf } from './leiden.ts';
import { seeded } from './random.ts';

/** How much structure a graph has, beside graphs of the same degrees that chance has made. */
export interface Significance {
  readonly modularity: number;
  /** The mean modularity of the best partitions of the others. */
  readonly byChance: number;
  /** More than chance makes: at least two standard deviations and 0.02. */
  readonly significant: boolean;
  /** Much more: at least four standard deviations and 0.04. For who asks often, and would be deceived by chance once. */
  readonly clear: boolean;
}

/**
 * Whether the graph falls into groups at all, given the modularity of its best partition. Modularity alone does not
 * say: a sparse graph without any structure has a partition of high modularity (Guimerà, Sales-Pardo, Amaral, Phys.
 * Rev. E 70, 2004). With 0 rounds chance is not tried but estimated, as about 0.97 by the root of the mean number of
 * neighbours, which holds for graphs that are not small.
 */
export function significanceOf(
  graph: Graph,
  bodies: Bodies,
  modularity: number,
  { rounds, seed }: { readonly rounds: number; readonly seed: number },
): Significance {
  if (rounds === 0) {
    const neighbours = graph.neighbour.length / graph.size;
    return judged(modularity, 0.97 / Math.sqrt(Math.max(1, neighbours)), 0);
  }
  const task = { bodies, limits: limitsOf(unconstrained), resolution: 1, passes: 2 };
  const same = Int32Array.from(graph.degree.keys());
  const random = seeded(seed);
  const edges = edgesOfGraph(graph);
  const others = Array.from({ length: rounds }, () => {
    const rewired = graphOf(graph.size, rewire(edges, graph.size, random), same, graph.loop);
    return modularityOf(rewired, leiden({ ...task, graph: rewired }), 1);
  });
  const byChance = others.reduce((sum, each) => sum + each, 0) / rounds;
  const variance = others.reduce((sum, each) => sum + (each - byChance) ** 2, 0) / rounds;
  return judged(modularity, byChance, Math.sqrt(variance));
}

function judged(modularity: number, byChance: number, deviation: number): Significance {
  const margin = Math.max(2 * deviation, 0.02);
  const excess = modularity - byChance;
  return { modularity, byChance, significant: excess > margin, clear: excess > 2 * margin };
}

/** Exchanges the ends of pairs of edges, so that every node keeps the number of its edges; never makes a second edge. */
function rewire(edges: Edges, size: number, random: () => number): Edges {
  const count = edges.weight.length;
  const from = edges.from.slice();
  const to = edges.to.slice();
  const keyOf = (a: number, b: number): number => (a < b ? a * size + b : b * size + a);
  const there = new Set<number>();
  for (let at = 0; at < count; at++) there.add(keyOf(from[at] as number, to[at] as number));
  for (let tries = count * 5; tries > 0; tries--) {
    const x = Math.floor(random() * count);
    const y = Math.floor(random() * count);
    // Either end of the second edge may be the one that is exchanged: otherwise few edges can be at all.
    const turned = random() < 0.5;
    const [a, b] = [from[x] as number, to[x] as number];
    const [c, d] = turned ? [to[y] as number, from[y] as number] : [from[y] as number, to[y] as number];
    if (a === d || c === b || there.has(keyOf(a, d)) || there.has(keyOf(c, b))) continue;
    there.delete(keyOf(a, b));
    there.delete(keyOf(c, d));
    there.add(keyOf(a, d));
    there.add(keyOf(c, b));
    [to[x], from[y], to[y]] = [d, c, b];
  }
  return { from, to, weight: edges.weight };
}
