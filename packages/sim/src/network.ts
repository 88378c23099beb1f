import type { LinkConditions, SimulatedNet } from '@heddle/kernel/simulated';

/** Undoes one cut. Another on the same link stays. */
export type Heal = () => void;

/** The network of a world as its scenario handles it. Latency and loss are set anew; cuts add up. */
export class WorldNetwork {
  readonly #net: SimulatedNet;
  readonly #record: (what: string) => void;
  readonly #cuts = new Map<string, Set<Heal>>();

  constructor(net: SimulatedNet, record: (what: string) => void) {
    this.#net = net;
    this.#record = record;
  }

  /** Nothing passes between the two, in either direction, and nobody is told. */
  partition(a: string, b: string): Heal {
    this.#record(`partition ${a} | ${b}`);
    const heals = [this.#cut(a, b), this.#cut(b, a)];
    return () => {
      this.#record(`heal ${a} | ${b}`);
      for (const heal of heals) heal();
    };
  }

  /** Nothing passes from one to the other; the way back is open. */
  partitionOneWay(from: string, to: string): Heal {
    this.#record(`partition ${from} > ${to}`);
    const heal = this.#cut(from, to);
    return () => {
      this.#record(`heal ${from} > ${to}`);
      heal();
    };
  }

  /** Undoes all cuts. */
  heal(): void {
    this.#record('heal all');
    for (const cuts of this.#cuts.values()) for (const heal of Array.from(cuts)) heal();
  }

  /** Sets what a link is like, both ways. What is not given stays. */
  link(a: string, b: string, change: Partial<Omit<LinkConditions, 'blocked'>>): void {
    this.#record(`link ${a} - ${b} ${JSON.stringify(change)}`);
    this.#net.setLink(a, b, change);
    this.#net.setLink(b, a, change);
  }

  /** Sets what all links between different hosts are like. */
  everywhere(change: Partial<Omit<LinkConditions, 'blocked'>>): void {
    this.#record(`all links ${JSON.stringify(change)}`);
    this.#net.setAllLinks(change);
  }

  /** Whether packets pass both ways now. */
  connected(a: string, b: string): boolean {
    return !this.#net.linkConditions(a, b).blocked && !this.#net.linkConditions(b, a).blocked;
  }

  /** What one direction is like now. */
  conditions(from: string, to: string): LinkConditions {
    return this.#net.linkConditions(from, to);
  }

  /** Connections that the program on a host has not closed. */
  openConnections(host: string): number {
    return this.#net.openConnections(host);
  }

  #cut(from: string, to: string): Heal {
    const name = `${from}>${to}`;
    const cuts = this.#cuts.get(name) ?? new Set<Heal>();
    this.#cuts.set(name, cuts);
    const heal = (): void => {
      cuts.delete(heal);
      this.#net.setLink(from, to, { blocked: cuts.size > 0 });
    };
    cuts.add(heal);
    this.#net.setLink(from, to, { blocked: true });
    return heal;
  }
}
