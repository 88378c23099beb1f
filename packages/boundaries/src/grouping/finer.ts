import type { Bodies } from './bodies.ts';
import { type Edges, type Graph, graphOf, numbered } from './graph.ts';
import { leiden, modularityOf } from './leiden.ts';
import type { Grouping, Partition } from './partition.ts';
import { significanceOf } from './significance.ts';

/** Groups up to this size are not looked into: nobody finds a service of twenty too large by its size alone. */
const fair = 20;

/**
 * Divides groups that fall into groups themselves, and those again. In a large system modularity cannot see small
 * groups at all (Fortunato, Barthélemy, "Resolution limit in community detection", PNAS 2007); seen by itself each
 * large group is a small system. Only what chance would hardly have made is divided.
 */
export function finer(grouping: Grouping, partition: Partition, rewirings: number, seed: number): Partition {
  const { graph, limits } = grouping;
  const bodies = grouping.bodies(seed);
  const label = grouping.gather(partition);
  let next = label.reduce((most, group) => Math.max(most, group + 1), 0);
  const waiting = [...Map.groupBy(label.keys(), (node) => label[node] as number).values()];
  for (let nodes = waiting.pop(); nodes !== undefined; nodes = waiting.pop()) {
    if (nodes.length <= fair) continue;
    const inner = subgraph(graph, nodes);
    const own = pick(bodies, nodes);
    const parts = leiden({ graph: inner, bodies: own, limits, resolution: 1, passes: 2 });
    // What chance gives is known well enough for all but small graphs.
    const rounds = nodes.length > 30 ? 0 : rewirings;
    if (!significanceOf(inner, own, modularityOf(inner, parts, 1), { rounds, seed }).clear) continue;
    const groups = [...Map.groupBy(parts.keys(), (at) => parts[at] as number).values()];
    if (groups.length < 2) continue;
    for (const members of groups) {
      const part = members.map((at) => nodes[at] as number);
      for (const node of part) label[node] = next;
      next++;
      waiting.push(part);
    }
  }
  return numbered(grouping.spread(label)).groups;
}

function subgraph(graph: Graph, nodes: readonly number[]): Graph {
  const inner = new Map(nodes.map((node, at) => [node, at]));
  const found: { from: number[]; to: number[]; weight: number[] } = { from: [], to: [], weight: [] };
  for (const [node, at] of inner) {
    for (let edge = graph.row[node] as number; edge < (graph.row[node + 1] as number); edge++) {
      const other = inner.get(graph.neighbour[edge] as number);
      if (other === undefined || other < at) continue;
      found.from.push(at);
      found.to.push(other);
      found.weight.push(graph.weight[edge] as number);
    }
  }
  const edges: Edges = {
    from: Int32Array.from(found.from),
    to: Int32Array.from(found.to),
    weight: Float64Array.from(found.weight),
  };
  const loops = Float64Array.from(nodes, (node) => graph.loop[node] as number);
  return graphOf(nodes.length, edges, Int32Array.from(nodes.keys()), loops);
}

function pick(bodies: Bodies, nodes: readonly number[]): Bodies {
  const inner = new Map(nodes.map((node, at) => [node, at]));
  return {
    size: Int32Array.from(nodes, (node) => bodies.size[node] as number),
    complexity: Float64Array.from(nodes, (node) => bodies.complexity[node] as number),
    team: Int32Array.from(nodes, (node) => bodies.team[node] as number),
    rank: Float64Array.from(nodes, (node) => bodies.rank[node] as number),
    apart: nodes.map((node) =>
      (bodies.apart[node] as readonly number[]).flatMap((other) => inner.get(other) ?? []),
    ),
  };
}
