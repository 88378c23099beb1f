// What the bench uses of peers that come without types.
declare module 'hashring' {
  class HashRing {
    constructor(servers: unknown, algorithm: string, options: Record<string, unknown>);
    get(key: string): string;
  }
  export = HashRing;
}

declare module 'consistent-hash' {
  class ConsistentHash<T> {
    constructor(options: { readonly range: number; readonly weight: number });
    add(node: T): void;
    get(key: string): T;
  }
  export = ConsistentHash;
}
