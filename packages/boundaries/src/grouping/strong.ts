import { Communities } from './communities.ts';
import { numbered } from './graph.ts';
import type { Grouping, Partition } from './partition.ts';

/** Between what a declared dependency alone gives (0.32 by the default weights) and what keeping the same data does (0.4). */
export const strongCoupling = 0.35;

/**
 * Joins only what is strongly coupled: from the strongest pair down, two groups become one where the mean coupling
 * between their capabilities is above the threshold and the constraints allow it.
 */
export function strongGroups(grouping: Grouping, threshold: number = strongCoupling): Partition {
  const { graph } = grouping;
  const bodies = grouping.bodies(0);
  const start = Int32Array.from(graph.degree.keys());
  const communities = new Communities(graph, bodies, grouping.limits, start);
  const members = new Map<number, number[]>([...start].map((node) => [node, [node]]));
  for (const [a, b] of strongEdges(grouping, threshold)) {
    const [into, from] = [communities.label[a] as number, communities.label[b] as number];
    if (into === from) continue;
    const [kept, joining] = [members.get(into) as number[], members.get(from) as number[]];
    const sizeOf = (nodes: readonly number[]): number =>
      nodes.reduce((sum, node) => sum + (bodies.size[node] as number), 0);
    if (between(grouping, joining, into, communities) <= threshold * sizeOf(kept) * sizeOf(joining)) continue;
    if (!fitTogether(joining, into, communities)) continue;
    members.set(into, [...kept, ...joining]);
    members.delete(from);
  }
  return numbered(grouping.spread(communities.label)).groups;
}

function strongEdges({ graph }: Grouping, threshold: number): [number, number][] {
  const strong: [number, number, number][] = [];
  for (let node = 0; node < graph.size; node++) {
    for (let at = graph.row[node] as number; at < (graph.row[node + 1] as number); at++) {
      const other = graph.neighbour[at] as number;
      const weight = graph.weight[at] as number;
      if (node < other && weight > threshold) strong.push([node, other, weight]);
    }
  }
  return strong.sort((x, y) => y[2] - x[2] || x[0] - y[0] || x[1] - y[1]).map(([a, b]) => [a, b]);
}

function between(
  { graph }: Grouping,
  nodes: readonly number[],
  group: number,
  { label }: Communities,
): number {
  let sum = 0;
  for (const node of nodes) {
    for (let at = graph.row[node] as number; at < (graph.row[node + 1] as number); at++) {
      if (label[graph.neighbour[at] as number] === group) sum += graph.weight[at] as number;
    }
  }
  return sum;
}

/** Moves one by one, and back again if one of them may not. */
function fitTogether(nodes: readonly number[], group: number, communities: Communities): boolean {
  const home = communities.label[nodes[0] as number] as number;
  for (const [at, node] of nodes.entries()) {
    if (communities.fits(node, group)) {
      communities.move(node, group);
      continue;
    }
    for (const moved of nodes.slice(0, at)) communities.move(moved, home);
    return false;
  }
  return true;
}
