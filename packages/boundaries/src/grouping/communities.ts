import type { Bodies, Limits } from './bodies.ts';
import type { Graph } from './graph.ts';

/** A partition of a graph's nodes that is being changed, with the sums that a move needs. */
export class Communities {
  /** The community of each node. */
  readonly label: Int32Array;
  /** The sum of the degrees of each community. */
  readonly degree: Float64Array;
  readonly #graph: Graph;
  readonly #bodies: Bodies;
  readonly #limits: Limits;
  readonly #nodes: Int32Array;
  readonly #size: Int32Array;
  readonly #complexity: Float64Array;
  readonly #team: Int32Array;
  // How many of a community's nodes have a team: when the last has left, any team may come.
  readonly #owned: Int32Array;
  readonly #empty: number[] = [];

  constructor(graph: Graph, bodies: Bodies, limits: Limits, labels: Int32Array) {
    this.label = labels.slice();
    this.#graph = graph;
    this.#bodies = bodies;
    this.#limits = limits;
    this.degree = new Float64Array(graph.size);
    this.#nodes = new Int32Array(graph.size);
    this.#size = new Int32Array(graph.size);
    this.#complexity = new Float64Array(graph.size);
    this.#team = new Int32Array(graph.size).fill(-1);
    this.#owned = new Int32Array(graph.size);
    for (let node = 0; node < graph.size; node++) this.#count(node, this.label[node] as number, 1);
    for (let at = graph.size - 1; at >= 0; at--) if (this.#nodes[at] === 0) this.#empty.push(at);
  }

  /** Whether the node may join that community, which it is not in. */
  fits(node: number, community: number): boolean {
    const { size, complexity, team, apart } = this.#bodies;
    const limits = this.#limits;
    if ((this.#size[community] as number) + (size[node] as number) > limits.maxSize) return false;
    // A sum of fractions may miss the limit by its rounding.
    const sum = (this.#complexity[community] as number) + (complexity[node] as number);
    if (sum > limits.maxComplexity + 1e-9) return false;
    const [own, theirs] = [team[node] as number, this.#team[community] as number];
    if (limits.oneTeam && own >= 0 && theirs >= 0 && own !== theirs) return false;
    for (const other of apart[node] as readonly number[]) if (this.label[other] === community) return false;
    return true;
  }

  /** Moves a node. */
  move(node: number, community: number): void {
    const from = this.label[node] as number;
    this.#count(node, from, -1);
    if (this.#nodes[from] === 0) this.#empty.push(from);
    this.label[node] = community;
    this.#count(node, community, 1);
  }

  /** Whether the node is alone. */
  alone(node: number): boolean {
    return this.#nodes[this.label[node] as number] === 1;
  }

  /** A community without nodes. There is one whenever some node is not alone. */
  vacant(): number {
    for (;;) {
      const community = this.#empty.pop();
      if (community === undefined) throw new Error('there is no vacant community');
      if (this.#nodes[community] === 0) return community;
    }
  }

  #count(node: number, community: number, sign: 1 | -1): void {
    const { size, complexity, team } = this.#bodies;
    this.#nodes[community] = (this.#nodes[community] as number) + sign;
    this.degree[community] = (this.degree[community] as number) + sign * (this.#graph.degree[node] as number);
    this.#size[community] = (this.#size[community] as number) + sign * (size[node] as number);
    this.#complexity[community] =
      (this.#complexity[community] as number) + sign * (complexity[node] as number);
    if ((team[node] as number) < 0) return;
    this.#owned[community] = (this.#owned[community] as number) + sign;
    this.#team[community] = this.#owned[community] === 0 ? -1 : (team[node] as number);
  }
}
