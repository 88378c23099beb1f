import { type TraceColumns, treeOf } from './trace.ts';

/** What one trace spent at one place of the tree. */
export interface Spent {
  readonly count: number;
  /** Of all spans there together. */
  readonly totalUs: number;
  readonly failed: number;
}

/** A place in the trees of two traces: a service and an operation below the same callers. */
export interface ComparedPlace {
  readonly key: string;
  readonly service: string;
  readonly name: string;
  readonly depth: number;
  /** Undefined: this trace was never here. */
  readonly a: Spent | undefined;
  readonly b: Spent | undefined;
}

/**
 * Lays the trees of two traces over each other, by what called what: spans of one service and operation below the same
 * callers are one place. In the order of the trees, those of `b` alone after their neighbours.
 */
export function comparedTraces(a: TraceColumns, b: TraceColumns): readonly ComparedPlace[] {
  const places: Place[] = [];
  const known = new Map<string, Place>();
  lay(a, 'a', places, known);
  lay(b, 'b', places, known);
  const below = new Map<number, Place[]>();
  for (const place of places) {
    const list = below.get(place.above);
    if (list === undefined) below.set(place.above, [place]);
    else list.push(place);
  }
  const rows: ComparedPlace[] = [];
  const stack = (below.get(outside) ?? []).toReversed();
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const { id, above: _, ...shown } = place;
    rows.push({ key: String(id), ...shown });
    for (const inner of (below.get(id) ?? []).toReversed()) stack.push(inner);
  }
  return rows;
}

const outside = -1;

interface Place extends Omit<ComparedPlace, 'key' | 'a' | 'b'> {
  readonly id: number;
  /** The place that calls from; `outside` for the first ones. */
  readonly above: number;
  a: Spent | undefined;
  b: Spent | undefined;
}

function lay(trace: TraceColumns, side: 'a' | 'b', places: Place[], known: Map<string, Place>): void {
  const callers: number[] = [];
  for (const { at, depth } of treeOf(trace).rows) {
    const service = trace.services[trace.service[at] ?? 0] ?? '';
    const name = trace.names[trace.name[at] ?? 0] ?? '';
    const above = depth === 0 ? outside : (callers[depth - 1] ?? outside);
    const key = JSON.stringify([above, service, name]);
    let place = known.get(key);
    if (place === undefined) {
      place = { id: places.length, above, service, name, depth, a: undefined, b: undefined };
      places.push(place);
      known.set(key, place);
    }
    callers[depth] = place.id;
    const before = place[side];
    place[side] = {
      count: (before?.count ?? 0) + 1,
      totalUs: (before?.totalUs ?? 0) + (trace.durationUs[at] ?? 0),
      failed: (before?.failed ?? 0) + (trace.failed[at] ?? 0),
    };
  }
}
