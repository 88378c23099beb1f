// Libraries that group graphs by modularity, each by its own defaults.
import graphology from 'graphology';
import louvainModule from 'graphology-communities-louvain';
import createGraph from 'ngraph.graph';
import { detectClusters } from 'ngraph.leiden';
import { linear, type Planted } from './planted.ts';

// It is CommonJS whose types speak of a default export that is not there.
const louvain = louvainModule as unknown as typeof louvainModule.default;

/** A library, and how it groups a graph: the label of each node. */
export interface GroupingLibrary {
  readonly name: string;
  group(planted: Planted, seed: number): (string | number)[];
}

/** Louvain and Leiden as npm has them. */
export const libraries: readonly GroupingLibrary[] = [
  {
    name: 'graphology-louvain',
    group: ({ truth, edges }, seed) => {
      const graph = new graphology.UndirectedGraph();
      truth.forEach((_, node) => void graph.addNode(node));
      for (const [from, to] of edges) graph.addEdge(from, to);
      const found = louvain(graph, { rng: linear(seed) });
      return truth.map((_, node) => found[String(node)] ?? -1);
    },
  },
  {
    name: 'ngraph-leiden',
    group: ({ truth, edges }, seed) => {
      const graph = createGraph();
      truth.forEach((_, node) => void graph.addNode(node));
      for (const [from, to] of edges) graph.addLink(from, to);
      const found = detectClusters(graph, { randomSeed: seed });
      return truth.map((_, node) => found.getClass(node));
    },
  },
];
