import { layout, type LayoutEdge, type Placed } from './layout.ts';

/** What the worker is asked. */
export interface LayoutQuestion {
  readonly id: number;
  readonly nodes: readonly string[];
  readonly edges: readonly LayoutEdge[];
  readonly before: ReadonlyMap<string, Placed>;
}

/** What it answers. */
export interface LayoutAnswer {
  readonly id: number;
  readonly placed: readonly Placed[];
}

// Beside the page, which goes on being drawn meanwhile.
self.addEventListener('message', ({ data }: MessageEvent<LayoutQuestion>) => {
  const { id, nodes, edges, before } = data;
  self.postMessage({ id, placed: layout(nodes, edges, before) } satisfies LayoutAnswer);
});
