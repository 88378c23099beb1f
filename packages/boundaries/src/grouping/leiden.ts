import { type Bodies, type Limits, mergedBodies } from './bodies.ts';
import { Communities } from './communities.ts';
import { edgesOfGraph, type Graph, graphOf, numbered } from './graph.ts';
import { localMoves, refine } from './local-moves.ts';

/** What to group and how. */
export interface Task {
  readonly graph: Graph;
  readonly bodies: Bodies;
  readonly limits: Limits;
  /** Above 1: more and smaller groups. */
  readonly resolution: number;
  /** How often to go over the result again, at most. */
  readonly passes: number;
}

/** Groups the nodes of a graph by modularity under constraints. The same task gives the same groups, always. */
export function leiden(task: Task): Int32Array {
  let groups: Int32Array = Int32Array.from(task.graph.degree.keys());
  for (let pass = 0; pass < task.passes; pass++) {
    const next = onePass(task, groups);
    const same = next.every((group, node) => group === groups[node]);
    groups = next;
    if (same) break;
  }
  return groups;
}

/** Moves, refines, merges, and again on the merged graph, until nothing merges. */
function onePass(task: Task, start: Int32Array): Int32Array {
  const { limits, resolution } = task;
  let { graph, bodies } = task;
  let at = Int32Array.from(graph.degree.keys());
  let label = start;
  for (;;) {
    const communities = new Communities(graph, bodies, limits, label);
    localMoves(graph, bodies, communities, resolution);
    label = communities.label;
    const parts = new Communities(graph, bodies, limits, Int32Array.from(graph.degree.keys()));
    refine(graph, bodies, label, parts, resolution);
    const { groups, count } = numbered(parts.label);
    if (count === graph.size) break;
    const parents = new Int32Array(count);
    groups.forEach((part, node) => {
      parents[part] = label[node] as number;
    });
    bodies = mergedBodies(bodies, groups, count);
    graph = graphOf(count, edgesOfGraph(graph), groups, graph.loop);
    at = at.map((node) => groups[node] as number);
    label = numbered(parents).groups;
  }
  return numbered(at.map((node) => label[node] as number)).groups;
}

/** The modularity of a partition: 0 where nothing is together that chance would not have put there, below 1 always. */
export function modularityOf(graph: Graph, groups: Int32Array, resolution: number): number {
  if (graph.total === 0) return 0;
  const degree = new Float64Array(graph.size);
  let within = 0;
  for (let node = 0; node < graph.size; node++) {
    const group = groups[node] as number;
    degree[group] = (degree[group] as number) + (graph.degree[node] as number);
    within += 2 * (graph.loop[node] as number);
    for (let at = graph.row[node] as number; at < (graph.row[node + 1] as number); at++) {
      if (groups[graph.neighbour[at] as number] === group) within += graph.weight[at] as number;
    }
  }
  const expected = degree.reduce((sum, own) => sum + (own / graph.total) ** 2, 0);
  return within / graph.total - resolution * expected;
}
