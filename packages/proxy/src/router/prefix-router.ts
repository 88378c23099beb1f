import { withoutSlash } from './normal-path.ts';

/**
 * Finds the route for a path. The order is: the longest matching prefix wins, whatever the order in the file.
 * A prefix matches on segment borders: `/api` and `/api/` both match `/api`, `/api/` and `/api/x`, not `/apix`;
 * `/` matches everything. Costs one map look-up per segment of the path.
 */
export class PrefixRouter<R extends { readonly path: string }> {
  readonly #byPrefix = new Map<string, R>();

  /** Of two routes with one prefix the first stays. */
  constructor(routes: readonly R[]) {
    for (const route of routes) {
      const prefix = withoutSlash(route.path);
      if (!this.#byPrefix.has(prefix)) this.#byPrefix.set(prefix, route);
    }
  }

  /** `path` in normal form, without query (see `normalPath`). */
  match(path: string): R | undefined {
    let prefix = withoutSlash(path);
    for (;;) {
      const route = this.#byPrefix.get(prefix);
      if (route !== undefined || prefix === '') return route;
      prefix = prefix.slice(0, prefix.lastIndexOf('/'));
    }
  }
}

/** `path` with the route's prefix replaced: `/api/orders/7` under `/api` rewritten to `/` is `/orders/7`. */
export function rewritePath(path: string, prefix: string, rewrite: string): string {
  const rest = path.slice(withoutSlash(prefix).length);
  const rewritten = withoutSlash(rewrite) + rest;
  return rewritten === '' ? '/' : rewritten;
}
