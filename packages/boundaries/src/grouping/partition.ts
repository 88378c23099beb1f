import type { Coupling } from '../coupling/coupling.ts';
import type { Constraints } from '../model/system.ts';
import { type Bodies, bodiesOf, type Limits, limitsOf, linked, mergedBodies } from './bodies.ts';
import { type Edges, edgesOf, type Graph, graphOf } from './graph.ts';
import { leiden, modularityOf } from './leiden.ts';
import { nameHash } from './random.ts';

/** The group of each capability, numbered from 0 in the order of their first members. */
export type Partition = Int32Array;

/** A system ready to be grouped: what must be together is one node. */
export class Grouping {
  readonly coupling: Coupling;
  readonly edges: Edges;
  readonly limits: Limits;
  /** The graph of the nodes, and the node of each capability. */
  readonly graph: Graph;
  readonly node: Int32Array;
  readonly constraints: Constraints;
  readonly #count: number;

  constructor(coupling: Coupling, constraints: Constraints, edges: Edges = edgesOf(coupling)) {
    this.coupling = coupling;
    this.constraints = constraints;
    this.edges = edges;
    this.limits = limitsOf(constraints);
    this.node = linked(coupling.capabilities, constraints);
    this.#count = this.node.reduce((most, node) => Math.max(most, node + 1), 0);
    this.graph = graphOf(this.#count, this.edges, this.node);
  }

  /** The bodies of the nodes in an order that the seed gives; adding a capability changes no other's place. */
  bodies(seed: number): Bodies {
    const { capabilities } = this.coupling;
    const rank = Float64Array.from(capabilities, ({ name }) => nameHash(name, seed));
    return mergedBodies(bodiesOf(capabilities, this.constraints, rank), this.node, this.#count);
  }

  /** One partition by modularity. */
  once(seed: number, resolution: number, passes: number): Partition {
    const { graph, limits } = this;
    return this.spread(leiden({ graph, bodies: this.bodies(seed), limits, resolution, passes }));
  }

  /** From nodes to capabilities. */
  spread(groups: Int32Array): Partition {
    return this.node.map((node) => groups[node] as number);
  }

  /** From capabilities to nodes. */
  gather(partition: Partition): Int32Array {
    const groups = new Int32Array(this.graph.size);
    partition.forEach((group, at) => {
      groups[this.node[at] as number] = group;
    });
    return groups;
  }

  /** The modularity of a partition that obeys the must-links. */
  modularity(partition: Partition, resolution = 1): number {
    return modularityOf(this.graph, this.gather(partition), resolution);
  }
}

/** The best of several partitions by modularity. Of equally good ones the first. */
export function best(
  grouping: Grouping,
  resolution: number,
  effort: { readonly starts: number; readonly passes: number; readonly seed: number },
): Partition {
  let found: Partition | undefined;
  let quality = Number.NEGATIVE_INFINITY;
  for (let start = 0; start < effort.starts; start++) {
    const each = grouping.once(effort.seed + start, resolution, effort.passes);
    const own = grouping.modularity(each, resolution);
    if (found === undefined || own > quality + 1e-12) [found, quality] = [each, own];
  }
  return found as Partition;
}
