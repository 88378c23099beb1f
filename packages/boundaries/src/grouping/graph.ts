import type { Coupling } from '../coupling/coupling.ts';

/** Undirected edges with weights above 0, one per pair, between nodes that are numbered from 0. */
export interface Edges {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly weight: Float64Array;
}

/** A graph in rows: the neighbours of node i stand from `row[i]` up to `row[i + 1]`. */
export interface Graph {
  readonly size: number;
  readonly row: Int32Array;
  readonly neighbour: Int32Array;
  readonly weight: Float64Array;
  /** The weight of edges from a node to itself, which merged nodes have. */
  readonly loop: Float64Array;
  /** The sum of a node's weights; its loop counts twice. */
  readonly degree: Float64Array;
  /** The sum of all degrees. */
  readonly total: number;
}

/** The pairs that pull together. */
export function edgesOf({ pairs }: Pick<Coupling, 'pairs'>): Edges {
  let count = 0;
  for (const { coupling } of pairs) if (coupling > 0) count++;
  const edges = { from: new Int32Array(count), to: new Int32Array(count), weight: new Float64Array(count) };
  let next = 0;
  for (const { a, b, coupling } of pairs) {
    if (coupling <= 0) continue;
    edges.from[next] = a;
    edges.to[next] = b;
    edges.weight[next] = coupling;
    next++;
  }
  return edges;
}

/**
 * The graph of those edges where nodes of the same number in `merged` are one. Edges between the same two are added;
 * edges within one become its loop, to which `loops` of the nodes are added.
 */
export function graphOf(size: number, edges: Edges, merged: Int32Array, loops?: Float64Array): Graph {
  const loop = new Float64Array(size);
  loops?.forEach((weight, node) => {
    const at = merged[node] as number;
    loop[at] = (loop[at] as number) + weight;
  });
  const from = edges.from.map((node) => merged[node] as number);
  const to = edges.to.map((node) => merged[node] as number);
  return mergedRows(size, scattered(size, { from, to, weight: edges.weight }, loop), loop);
}

type Rows = Pick<Graph, 'row' | 'neighbour' | 'weight'>;

/** Each edge in the rows of both its ends, in the order of the edges; those of a node to itself go to its loop. */
function scattered(size: number, { from, to, weight: given }: Edges, loop: Float64Array): Rows {
  const row = new Int32Array(size + 1);
  for (let at = 0; at < given.length; at++) {
    const [a, b] = [from[at] as number, to[at] as number];
    if (a === b) continue;
    row[a + 1] = (row[a + 1] as number) + 1;
    row[b + 1] = (row[b + 1] as number) + 1;
  }
  for (let node = 0; node < size; node++) row[node + 1] = (row[node + 1] as number) + (row[node] as number);
  const next = row.slice();
  const neighbour = new Int32Array(row[size] as number);
  const weight = new Float64Array(row[size] as number);
  const put = (node: number, other: number, own: number): void => {
    const at = next[node] as number;
    next[node] = at + 1;
    neighbour[at] = other;
    weight[at] = own;
  };
  for (let at = 0; at < given.length; at++) {
    const [a, b, own] = [from[at] as number, to[at] as number, given[at] as number];
    if (a === b) loop[a] = (loop[a] as number) + own;
    else {
      put(a, b, own);
      put(b, a, own);
    }
  }
  return { row, neighbour, weight };
}

/** Edges to the same neighbour become one, in place. */
function mergedRows(size: number, { row: old, neighbour, weight }: Rows, loop: Float64Array): Graph {
  const row = new Int32Array(size + 1);
  const degree = loop.map((own) => own * 2);
  // Where the row at hand has put a neighbour; of earlier rows if it is before the row's start.
  const place = new Int32Array(size).fill(-1);
  let end = 0;
  for (let node = 0; node < size; node++) {
    const start = end;
    row[node] = start;
    for (let at = old[node] as number; at < (old[node + 1] as number); at++) {
      const other = neighbour[at] as number;
      const own = weight[at] as number;
      degree[node] = (degree[node] as number) + own;
      if ((place[other] as number) >= start) {
        const known = place[other] as number;
        weight[known] = (weight[known] as number) + own;
        continue;
      }
      place[other] = end;
      neighbour[end] = other;
      weight[end] = own;
      end++;
    }
  }
  row[size] = end;
  const total = degree.reduce((sum, own) => sum + own, 0);
  return {
    size,
    row,
    neighbour: neighbour.subarray(0, end),
    weight: weight.subarray(0, end),
    loop,
    degree,
    total,
  };
}

/** The edges of a graph without its loops. */
export function edgesOfGraph({ size, row, neighbour, weight }: Graph): Edges {
  const count = neighbour.length / 2;
  const edges = { from: new Int32Array(count), to: new Int32Array(count), weight: new Float64Array(count) };
  let next = 0;
  for (let node = 0; node < size; node++) {
    for (let at = row[node] as number; at < (row[node + 1] as number); at++) {
      if ((neighbour[at] as number) < node) continue;
      edges.from[next] = node;
      edges.to[next] = neighbour[at] as number;
      edges.weight[next] = weight[at] as number;
      next++;
    }
  }
  return edges;
}

/** A partition with its groups numbered from 0 in the order of their first members; and how many there are. */
export function numbered(labels: Int32Array): { groups: Int32Array; count: number } {
  const numbers = new Map<number, number>();
  const groups = labels.map((label) => {
    const known = numbers.get(label);
    if (known !== undefined) return known;
    numbers.set(label, numbers.size);
    return numbers.size - 1;
  });
  return { groups, count: numbers.size };
}
