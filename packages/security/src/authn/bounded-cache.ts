/**
 * Remembers values by text, at most `most` of them and `mostCharacters` of keys. What was not asked for longest goes
 * first, by halves: two generations, of which the older is dropped when the younger is full. An entry costs no list.
 */
export class BoundedCache<V> {
  readonly #most: number;
  readonly #mostCharacters: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #characters = 0;

  constructor(most: number, mostCharacters: number) {
    // Each generation may hold half.
    this.#most = Math.max(1, Math.floor(most / 2));
    this.#mostCharacters = Math.max(1, Math.floor(mostCharacters / 2));
  }

  /** How many are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    this.#old.delete(key);
    if (!this.#young.has(key)) {
      const full = this.#young.size >= this.#most || this.#characters + key.length > this.#mostCharacters;
      if (full) this.#turn();
      this.#characters += key.length;
    }
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#old.delete(key);
    if (this.#young.delete(key)) this.#characters -= key.length;
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#characters = 0;
  }
}
