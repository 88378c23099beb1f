/** A call of one node to another. */
export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
}

/** Where a node is: its column counted from the callers, and its row within it. */
export interface Placed {
  readonly id: string;
  readonly column: number;
  readonly row: number;
}

const sweeps = 8;

/**
 * Places nodes in columns so that calls go from left to right as far as there are no cycles, with few crossings: cycles
 * are cut, each node stands one column after its last caller, and rows are ordered by the mean of their neighbours'.
 * The same graph gives the same places. With `before`, nodes keep the order that they had, so that a refresh moves
 * nothing that need not move.
 */
export function layout(
  nodes: readonly string[],
  edges: readonly LayoutEdge[],
  before: ReadonlyMap<string, Placed> = new Map(),
): readonly Placed[] {
  const ids = nodes.toSorted();
  const at = new Map(ids.map((id, index) => [id, index]));
  const pairs = edges.flatMap(({ from, to }): (readonly [number, number])[] => {
    const [a, b] = [at.get(from), at.get(to)];
    return a === undefined || b === undefined || a === b ? [] : [[a, b]];
  });
  const outgoing = neighbours(ids.length, pairs);
  const forward = withoutCycles(outgoing);
  const columns = columnsOf(forward);
  const order = ordered(columns, forward, startOrder(ids, columns, before), before.size > 0);
  return order.flatMap((members, column) =>
    members.map((node, row) => ({ id: ids[node] as string, column, row })),
  );
}

function neighbours(count: number, pairs: readonly (readonly [number, number])[]): number[][] {
  const lists: number[][] = Array.from({ length: count }, () => []);
  const seen = new Set<number>();
  for (const [a, b] of pairs) {
    const key = a * count + b;
    if (seen.has(key)) continue;
    seen.add(key);
    lists[a]?.push(b);
  }
  return lists;
}

/** Drops the calls that lead back to a node on the way to them. Without recursion: chains may be long. */
function withoutCycles(outgoing: readonly (readonly number[])[]): number[][] {
  const kept: number[][] = outgoing.map(() => []);
  const state = new Uint8Array(outgoing.length);
  const incoming = new Uint32Array(outgoing.length);
  for (const list of outgoing) for (const to of list) incoming[to] = (incoming[to] ?? 0) + 1;
  // Those that nobody calls come first: what leads back to them is what is cut.
  const roots = outgoing
    .map((_, node) => node)
    .toSorted((a, b) => (incoming[a] ?? 0) - (incoming[b] ?? 0) || a - b);
  for (const root of roots) {
    if (state[root] !== 0) continue;
    const stack: [number, number][] = [[root, 0]];
    state[root] = 1;
    while (stack.length > 0) {
      const top = stack.at(-1) as [number, number];
      const next = outgoing[top[0]]?.[top[1]++];
      if (next === undefined) {
        state[top[0]] = 2;
        stack.pop();
      } else if (state[next] !== 1) {
        kept[top[0]]?.push(next);
        if (state[next] === 0) {
          state[next] = 1;
          stack.push([next, 0]);
        }
      }
    }
  }
  return kept;
}

/** The longest way from a node that nobody calls. */
function columnsOf(forward: readonly (readonly number[])[]): Uint32Array {
  const columns = new Uint32Array(forward.length);
  const waiting = new Uint32Array(forward.length);
  for (const list of forward) for (const to of list) waiting[to] = (waiting[to] ?? 0) + 1;
  const ready = forward.flatMap((_, node) => (waiting[node] === 0 ? [node] : []));
  for (let next = 0; next < ready.length; next++) {
    const node = ready[next] as number;
    for (const to of forward[node] ?? []) {
      columns[to] = Math.max(columns[to] ?? 0, (columns[node] ?? 0) + 1);
      waiting[to] = (waiting[to] ?? 0) - 1;
      if (waiting[to] === 0) ready.push(to);
    }
  }
  return columns;
}

function startOrder(
  ids: readonly string[],
  columns: Uint32Array,
  before: ReadonlyMap<string, Placed>,
): number[][] {
  const order: number[][] = [];
  ids.forEach((_, node) => {
    const column = columns[node] ?? 0;
    while (order.length <= column) order.push([]);
    order[column]?.push(node);
  });
  const rowOf = (node: number): number => before.get(ids[node] ?? '')?.row ?? Number.POSITIVE_INFINITY;
  for (const members of order) members.sort((a, b) => compare(rowOf(a), rowOf(b)) || a - b);
  return order;
}

function ordered(
  columns: Uint32Array,
  forward: readonly (readonly number[])[],
  order: number[][],
  keep: boolean,
): number[][] {
  if (keep) return order;
  const backward: number[][] = forward.map(() => []);
  forward.forEach((list, from) => {
    for (const to of list) backward[to]?.push(from);
  });
  const row = new Float64Array(columns.length);
  const number = (): void =>
    order.forEach((members) =>
      members.forEach((node, at) => {
        row[node] = at / Math.max(1, members.length);
      }),
    );
  number();
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const towards = sweep % 2 === 0 ? backward : forward;
    const turn = sweep % 2 === 0 ? order : order.toReversed();
    for (const members of turn) {
      const wanted = new Map(members.map((node) => [node, meanOf(towards[node] ?? [], row, node)]));
      members.sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number) || a - b);
      members.forEach((node, at) => {
        row[node] = at / Math.max(1, members.length);
      });
    }
    number();
  }
  return order;
}

function meanOf(list: readonly number[], row: Float64Array, own: number): number {
  if (list.length === 0) return row[own] ?? 0;
  let sum = 0;
  for (const node of list) sum += row[node] ?? 0;
  return sum / list.length;
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
