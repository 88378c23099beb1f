/** Names in groups that grow together. */
export class UnionFind {
  readonly #parent = new Map<string, string>();

  /** Joins the groups of both. False: they were one already. */
  join(a: string, b: string): boolean {
    const [from, to] = [this.#root(a), this.#root(b)];
    if (from === to) return false;
    this.#parent.set(from, to);
    return true;
  }

  /** Whether both are in one group. */
  same(a: string, b: string): boolean {
    return this.#root(a) === this.#root(b);
  }

  /** The groups of two and more. */
  groups(): string[][] {
    const groups = Map.groupBy(this.#parent.keys(), (name) => this.#root(name));
    return [...groups.values()].filter((group) => group.length > 1);
  }

  #root(name: string): string {
    let at = name;
    for (;;) {
      const parent = this.#parent.get(at);
      if (parent === undefined) {
        this.#parent.set(at, at);
        return at;
      }
      if (parent === at) break;
      at = parent;
    }
    this.#parent.set(name, at);
    return at;
  }
}
