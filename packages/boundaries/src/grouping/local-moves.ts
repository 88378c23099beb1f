import type { Bodies } from './bodies.ts';
import type { Communities } from './communities.ts';
import type { Graph } from './graph.ts';

/** Gains below this are rounding. */
const least = 1e-12;

/** The nodes in the order of their ranks. */
export function ordered({ rank }: Bodies): Int32Array {
  return Int32Array.from(rank.keys()).sort((a, b) => (rank[a] as number) - (rank[b] as number) || a - b);
}

/** The weights from one node to the communities around it; one object serves all nodes in turn. */
class Surroundings {
  readonly weight: Float64Array;
  readonly communities: number[] = [];

  constructor(size: number) {
    this.weight = new Float64Array(size);
  }

  look(graph: Graph, label: Int32Array, node: number): void {
    for (const community of this.communities) this.weight[community] = 0;
    this.communities.length = 0;
    for (let at = graph.row[node] as number; at < (graph.row[node + 1] as number); at++) {
      const community = label[graph.neighbour[at] as number] as number;
      if (this.weight[community] === 0) this.communities.push(community);
      this.weight[community] = (this.weight[community] as number) + (graph.weight[at] as number);
    }
  }
}

/**
 * Moves nodes to where modularity gains most and constraints allow, until none gains. A node is looked at again only
 * when a neighbour has moved. Modularity with resolution: Reichardt and Bornholdt, Phys. Rev. E 74 (2006).
 */
export function localMoves(graph: Graph, bodies: Bodies, communities: Communities, resolution: number): void {
  const around = new Surroundings(graph.size);
  const queue = [...ordered(bodies)];
  const waiting = new Uint8Array(graph.size).fill(1);
  for (let next = 0; next < queue.length; next++) {
    const node = queue[next] as number;
    waiting[node] = 0;
    around.look(graph, communities.label, node);
    const from = communities.label[node] as number;
    const to = bestMove(graph, communities, around, node, resolution);
    if (to === from) continue;
    communities.move(node, to);
    for (let at = graph.row[node] as number; at < (graph.row[node + 1] as number); at++) {
      const other = graph.neighbour[at] as number;
      if (waiting[other] === 1 || communities.label[other] === to) continue;
      waiting[other] = 1;
      queue.push(other);
    }
  }
}

function bestMove(
  graph: Graph,
  communities: Communities,
  around: Surroundings,
  node: number,
  resolution: number,
): number {
  const degree = graph.degree[node] as number;
  const from = communities.label[node] as number;
  const gainOf = (community: number, without: number): number =>
    (around.weight[community] as number) -
    (resolution * degree * ((communities.degree[community] as number) - without)) / graph.total;
  let best = from;
  let gain = gainOf(from, degree);
  for (const community of around.communities) {
    if (community === from) continue;
    const other = gainOf(community, 0);
    if (other > gain + least && communities.fits(node, community)) [best, gain] = [community, other];
  }
  // By itself a node gains nothing and loses nothing.
  return gain < -least && !communities.alone(node) ? communities.vacant() : best;
}

/**
 * Parts of the given communities that hold together by themselves: each node, taken once, joins the part of its own
 * community where it gains most. Merging parts instead of whole communities lets the next level mend what an early
 * move has spoilt (Traag, Waltman, van Eck, "From Louvain to Leiden", 2019; without its chance).
 */
export function refine(
  graph: Graph,
  bodies: Bodies,
  label: Int32Array,
  parts: Communities,
  resolution: number,
): void {
  const around = new Surroundings(graph.size);
  for (const node of ordered(bodies)) {
    if (!parts.alone(node)) continue;
    around.look(graph, parts.label, node);
    const degree = graph.degree[node] as number;
    let best = parts.label[node] as number;
    let gain = least;
    for (const part of around.communities) {
      // The nodes of a part are of one community, and a part's number is that of a node in it.
      if (label[part] !== label[node] || part === parts.label[node]) continue;
      const other =
        (around.weight[part] as number) -
        (resolution * degree * (parts.degree[part] as number)) / graph.total;
      if (other > gain) [best, gain] = [part, other];
    }
    if (best !== parts.label[node]) parts.move(node, best);
  }
}
