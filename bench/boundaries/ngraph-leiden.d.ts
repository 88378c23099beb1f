// ngraph.leiden has no types of its own; this is the part that is used.
declare module 'ngraph.leiden' {
  import type { Graph } from 'ngraph.graph';

  /** Groups a graph by modularity. */
  export function detectClusters(
    graph: Graph,
    options?: { readonly randomSeed?: number },
  ): { getClass(node: number): number };
}
