import { HeddleError } from '@heddle/kernel';
import { nameEndpoint } from '@heddle/telemetry';
import type { HttpService } from '@heddle/wire';
import type { RouteConfig } from '../model/gateway-config.ts';
import { PrefixRouter, rewritePath } from './prefix-router.ts';

/** A route and where it leads. */
export interface Routed {
  readonly route: RouteConfig;
  readonly service: HttpService;
}

/**
 * Hands each request to its route's service, with the path rewritten if the route says so; names the route for
 * metrics. Rejects with `not_found` / `NO_ROUTE`. Takes normal paths only.
 */
export function routed(routes: readonly Routed[]): HttpService {
  const router = new PrefixRouter(routes.map((each) => ({ ...each, path: each.route.path })));
  return async (req, call) => {
    const question = req.path.indexOf('?');
    const path = question === -1 ? req.path : req.path.slice(0, question);
    const found = router.match(path);
    if (found === undefined) {
      const message = `no route matches ${path}`;
      throw new HeddleError({ code: 'not_found', reason: 'NO_ROUTE', message, sent: false });
    }
    const { name, rewrite } = found.route;
    nameEndpoint(call, name);
    if (rewrite === undefined) return found.service(req, call);
    const query = question === -1 ? '' : req.path.slice(question);
    return found.service({ ...req, path: rewritePath(path, found.path, rewrite) + query }, call);
  };
}
