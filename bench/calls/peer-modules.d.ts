// What the bench uses of peers that come without types.
declare module 'hashring' {
  export default class HashRing {
    constructor(servers: unknown, algorithm: string, options: Record<string, unknown>);
    get(key: string): string;
  }
}

declare module 'consistent-hash' {
  export default class ConsistentHash<T> {
    constructor(options: { readonly range: number; readonly weight: number });
    add(node: T): void;
    get(key: string): T;
  }
}
