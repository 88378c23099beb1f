import type { LayoutEdge } from './layout.ts';

/** An edge with what was measured on it. */
export interface Edge {
  readonly client: string;
  readonly server: string;
  readonly calls: number;
  readonly perSecond: number;
  readonly errorShare: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** What somebody wants to see of a graph. */
export interface View {
  /** Only this node and what is within `hops` calls of it. */
  readonly focus?: string | undefined;
  readonly hops: number;
  /** Only names that contain this, and what they call and are called by. */
  readonly text?: string;
  /** Names with one beginning, up to the first `-` or `.`, are one node. */
  readonly grouped?: boolean;
  /** Edges with fewer calls a second are left out. */
  readonly least?: number;
  /** At most so many nodes: those with the most calls. */
  readonly most: number;
}

/** What is shown, and how much is not. */
export interface Visible {
  readonly nodes: readonly string[];
  readonly edges: readonly Edge[];
  readonly hidden: number;
}

/** More nodes than this are unreadable, however they are drawn. */
export const readableNodes = 60;

/** The part of a graph that can be read. Filters come before the limit. */
export function visible(all: readonly Edge[], view: View): Visible {
  const edges = (view.grouped === true ? grouped(all) : all).filter(
    ({ perSecond }) => perSecond >= (view.least ?? 0),
  );
  const names = new Set(edges.flatMap(({ client, server }) => [client, server]));
  const wanted = view.text?.toLowerCase() ?? '';
  const matching =
    wanted === ''
      ? names
      : near(
          edges,
          [...names].filter((name) => name.toLowerCase().includes(wanted)),
          1,
        );
  const focused =
    view.focus === undefined || !names.has(view.focus) ? matching : near(edges, [view.focus], view.hops);
  const load = new Map<string, number>();
  for (const { client, server, calls } of edges)
    for (const name of [client, server]) load.set(name, (load.get(name) ?? 0) + calls);
  const nodes = [...focused].toSorted(
    (a, b) => rank(view, a) - rank(view, b) || (load.get(b) ?? 0) - (load.get(a) ?? 0) || (a < b ? -1 : 1),
  );
  const shown = new Set(nodes.slice(0, view.most));
  return {
    nodes: [...shown].toSorted(),
    edges: edges.filter(({ client, server }) => shown.has(client) && shown.has(server)),
    hidden: names.size - shown.size,
  };
}

function rank({ focus }: View, name: string): number {
  return name === focus ? 0 : 1;
}

function near(edges: readonly Edge[], from: readonly string[], hops: number): Set<string> {
  const found = new Set(from);
  let border = new Set(from);
  for (let hop = 0; hop < hops && border.size > 0; hop++) {
    const next = new Set<string>();
    for (const { client, server } of edges) {
      if (border.has(client) && !found.has(server)) next.add(server);
      if (border.has(server) && !found.has(client)) next.add(client);
    }
    for (const name of next) found.add(name);
    border = next;
  }
  return found;
}

/** The group of a name: what stands before its first `-` or `.`. */
export function groupOf(name: string): string {
  return /^[^-.]+/.exec(name)?.[0] ?? name;
}

/** Rates and errors add up; latencies are those of the slowest edge, since quantiles cannot be added. */
function grouped(edges: readonly Edge[]): Edge[] {
  const sums = new Map<string, Edge>();
  for (const edge of edges) {
    const [client, server] = [groupOf(edge.client), groupOf(edge.server)];
    if (client === server) continue;
    const sum = sums.get(`${client} ${server}`);
    sums.set(`${client} ${server}`, sum === undefined ? { ...edge, client, server } : added(sum, edge));
  }
  return [...sums.values()];
}

function added(a: Edge, b: Edge): Edge {
  const calls = a.calls + b.calls;
  return {
    ...a,
    calls,
    perSecond: a.perSecond + b.perSecond,
    errorShare: (a.errorShare * a.calls + b.errorShare * b.calls) / calls,
    p50Ms: Math.max(a.p50Ms, b.p50Ms),
    p95Ms: Math.max(a.p95Ms, b.p95Ms),
    p99Ms: Math.max(a.p99Ms, b.p99Ms),
  };
}

/** For the layout. */
export function layoutEdges(edges: readonly Edge[]): LayoutEdge[] {
  return edges.map(({ client, server }) => ({ from: client, to: server }));
}
