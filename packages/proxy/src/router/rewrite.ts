import { HeddleError } from '@heddle/kernel';
import { checkedPattern } from '../model/pattern.ts';
import type { Rewrite } from '../model/route.ts';
import { normalPath, withoutSlash } from './normal-path.ts';

/** Gives the path that is sent on for one that has been matched; both without query. */
export type PathRewrite = (path: string) => string;

/** Makes a rewrite ready. `matched` is the route's prefix or exact path. */
export function pathRewrite(rewrite: Rewrite, matched: string): PathRewrite {
  if (rewrite.kind === 'prefix') return (path) => rewritePath(path, matched, rewrite.to);
  const expression = checkedPattern(rewrite.pattern);
  return (path) => {
    const made = expression.replace(path, rewrite.to);
    const normal = normalPath(made);
    // A rewrite can put together what was apart: `/a/.` and `./admin`. It must not lead where no rule was asked.
    if (normal.ok && normal.path === made) return made;
    const message = `the route's rewrite makes a path that is not in normal form: ${made.slice(0, 200)}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_REWRITE', message, sent: false });
  };
}

/** `path` with the route's prefix replaced: `/api/orders/7` under `/api` rewritten to `/` is `/orders/7`. */
export function rewritePath(path: string, prefix: string, rewrite: string): string {
  const rest = path.slice(withoutSlash(prefix).length);
  const rewritten = withoutSlash(rewrite) + rest;
  return rewritten === '' ? '/' : rewritten;
}
