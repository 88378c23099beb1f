/** A trace as the server sends it: a column for each property. */
export interface TraceColumns {
  readonly traceId: string;
  readonly services: readonly string[];
  readonly names: readonly string[];
  readonly id: readonly string[];
  readonly parent: readonly string[];
  readonly service: readonly number[];
  readonly name: readonly number[];
  readonly kind: readonly number[];
  readonly startUs: readonly number[];
  readonly durationUs: readonly number[];
  readonly failed: readonly number[];
}

/** A line of the waterfall. */
export interface SpanRow {
  readonly at: number;
  readonly id: string;
  readonly depth: number;
  readonly children: number;
  readonly critical: boolean;
}

/** A trace as a tree, ready to be shown line by line. */
export interface TraceTree {
  readonly startUs: number;
  readonly totalUs: number;
  /** All lines, callers before what they call. */
  readonly rows: readonly SpanRow[];
}

/** Orders the spans as a tree and marks the critical path: of each span the child that ended last, from the root on. */
export function treeOf(trace: TraceColumns): TraceTree {
  const { id, parent, startUs, durationUs } = trace;
  const at = new Map(id.map((one, index) => [one, index]));
  const children = new Map<number, number[]>();
  const roots: number[] = [];
  parent.forEach((one, index) => {
    const above = at.get(one);
    if (above === undefined || above === index) roots.push(index);
    else {
      const list = children.get(above);
      if (list === undefined) children.set(above, [index]);
      else list.push(index);
    }
  });
  const byStart = (a: number, b: number): number => (startUs[a] ?? 0) - (startUs[b] ?? 0) || a - b;
  for (const list of children.values()) list.sort(byStart);
  const critical = criticalPath(trace, roots, children);
  const rows: SpanRow[] = [];
  // Without recursion: a trace of fifty thousand spans may be one chain.
  const stack = roots
    .toSorted(byStart)
    .toReversed()
    .map((index) => ({ index, depth: 0 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { index, depth } = next;
    const own = children.get(index) ?? [];
    rows.push({ at: index, id: id[index] ?? '', depth, children: own.length, critical: critical.has(index) });
    for (let child = own.length - 1; child >= 0; child--)
      stack.push({ index: own[child] as number, depth: depth + 1 });
  }
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  startUs.forEach((start, index) => {
    first = Math.min(first, start);
    last = Math.max(last, start + (durationUs[index] ?? 0));
  });
  return { startUs: first, totalUs: Math.max(1, last - first), rows };
}

function criticalPath(
  { startUs, durationUs }: TraceColumns,
  roots: readonly number[],
  children: ReadonlyMap<number, readonly number[]>,
): Set<number> {
  const endOf = (index: number): number => (startUs[index] ?? 0) + (durationUs[index] ?? 0);
  const last = (list: readonly number[]): number | undefined =>
    list.reduce<number | undefined>(
      (found, index) => (found === undefined || endOf(index) > endOf(found) ? index : found),
      undefined,
    );
  const path = new Set<number>();
  for (let next = last(roots); next !== undefined && !path.has(next); next = last(children.get(next) ?? []))
    path.add(next);
  return path;
}

/** The lines that are left when some are folded. */
export function unfolded(rows: readonly SpanRow[], folded: ReadonlySet<string>): readonly SpanRow[] {
  if (folded.size === 0) return rows;
  const shown: SpanRow[] = [];
  let below = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    if (row.depth > below) continue;
    shown.push(row);
    below = folded.has(row.id) ? row.depth : Number.POSITIVE_INFINITY;
  }
  return shown;
}
