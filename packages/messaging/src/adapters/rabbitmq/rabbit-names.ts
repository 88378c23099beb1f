/** Names of queues and exchanges, all under one prefix. Topics may have dots in them, groups have none. */
export class Names {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The stream in which is written what topics and groups there are. */
  get registry(): string {
    return `${this.#prefix}.registry`;
  }

  /** Members of groups tell each other of changes through it. */
  get wakes(): string {
    return `${this.#prefix}.wakes`;
  }

  /** The stream of a partition. */
  partition(topic: string, partition: number): string {
    return `${this.#prefix}.topic.${topic}.${partition}`;
  }

  /** The stream in which a group writes where it is on a partition. */
  position(topic: string, group: string, partition: number): string {
    return `${this.#prefix}.group.${topic}.${group}.${partition}`;
  }

  /** The queue whose consumers are the members of a group. */
  members(topic: string, group: string): string {
    return `${this.#prefix}.members.${topic}.${group}`;
  }

  /** The queue that one connection has, and that says that it holds what is called so. */
  lock(what: string): string {
    return `${this.#prefix}.lock.${what}`;
  }

  /** Where messages wait for a time of 2^level units; below level 0, where those go whose time has come. */
  later(level: number): string {
    return level < 0 ? `${this.#prefix}.due` : `${this.#prefix}.later.${level}`;
  }
}
