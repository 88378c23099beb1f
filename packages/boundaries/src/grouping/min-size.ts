import { Communities } from './communities.ts';
import { numbered } from './graph.ts';
import type { Grouping, Partition } from './partition.ts';

/**
 * Dissolves groups below the least size, the smallest first: all of it joins the group that it is most coupled with
 * and may join. What may join none stays; the report says so.
 */
export function withMinSize(grouping: Grouping, partition: Partition, minSize: number): Partition {
  const bodies = grouping.bodies(0);
  const communities = new Communities(grouping.graph, bodies, grouping.limits, grouping.gather(partition));
  const stuck = new Set<number>();
  for (;;) {
    const small = smallest(communities.label, bodies.size, minSize, stuck);
    if (small === undefined) break;
    if (!joinBest(grouping, communities, small)) stuck.add(communities.label[small[0] as number] as number);
  }
  return numbered(grouping.spread(communities.label)).groups;
}

function smallest(
  label: Int32Array,
  size: Int32Array,
  minSize: number,
  stuck: ReadonlySet<number>,
): readonly number[] | undefined {
  const groups = Map.groupBy(label.keys(), (node) => label[node] as number);
  let found: { nodes: readonly number[]; size: number } | undefined;
  for (const [group, nodes] of groups) {
    const own = nodes.reduce((sum, node) => sum + (size[node] as number), 0);
    if (own < minSize && own < (found?.size ?? minSize) && !stuck.has(group)) found = { nodes, size: own };
  }
  return found?.nodes;
}

function joinBest({ graph }: Grouping, communities: Communities, nodes: readonly number[]): boolean {
  const home = communities.label[nodes[0] as number] as number;
  const pull = new Map<number, number>();
  // Groups that it is not coupled with come last, rather than never.
  for (const group of new Set(communities.label)) if (group !== home) pull.set(group, 0);
  for (const node of nodes) {
    for (let at = graph.row[node] as number; at < (graph.row[node + 1] as number); at++) {
      const group = communities.label[graph.neighbour[at] as number] as number;
      if (group !== home) pull.set(group, (pull.get(group) ?? 0) + (graph.weight[at] as number));
    }
  }
  const wanted = [...pull].sort((x, y) => y[1] - x[1] || x[0] - y[0]);
  for (const [group] of wanted) {
    const moved: number[] = [];
    for (const node of nodes) {
      if (!communities.fits(node, group)) break;
      communities.move(node, group);
      moved.push(node);
    }
    if (moved.length === nodes.length) return true;
    for (const node of moved) communities.move(node, home);
  }
  return false;
}
