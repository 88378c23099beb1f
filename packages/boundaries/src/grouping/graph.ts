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
  const pulling = pairs.filter(({ coupling }) => coupling > 0);
  return {
    from: Int32Array.from(pulling, ({ a }) => a),
    to: Int32Array.from(pulling, ({ b }) => b),
    weight: Float64Array.from(pulling, ({ coupling }) => coupling),
  };
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
  const sums = new Map<number, number>();
  for (let at = 0; at < edges.weight.length; at++) {
    const a = merged[edges.from[at] as number] as number;
    const b = merged[edges.to[at] as number] as number;
    const weight = edges.weight[at] as number;
    if (a === b) loop[a] = (loop[a] as number) + weight;
    else {
      const key = a < b ? a * size + b : b * size + a;
      sums.set(key, (sums.get(key) ?? 0) + weight);
    }
  }
  return rowsOf(size, sums, loop);
}

function rowsOf(size: number, sums: ReadonlyMap<number, number>, loop: Float64Array): Graph {
  const row = new Int32Array(size + 1);
  const keys = Float64Array.from(sums.keys()).sort();
  const ends = (key: number): [number, number] => {
    const a = Math.floor(key / size);
    return [a, key - a * size];
  };
  for (const key of keys) for (const end of ends(key)) row[end + 1] = (row[end + 1] as number) + 1;
  for (let node = 0; node < size; node++) row[node + 1] = (row[node + 1] as number) + (row[node] as number);
  const next = row.slice(0, size);
  const neighbour = new Int32Array(keys.length * 2);
  const weight = new Float64Array(keys.length * 2);
  const degree = loop.map((own) => own * 2);
  for (const key of keys) {
    const [a, b] = ends(key);
    const own = sums.get(key) as number;
    for (const [node, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const at = next[node] as number;
      next[node] = at + 1;
      neighbour[at] = other;
      weight[at] = own;
      degree[node] = (degree[node] as number) + own;
    }
  }
  const total = degree.reduce((sum, own) => sum + own, 0);
  return { size, row, neighbour, weight, loop, degree, total };
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
