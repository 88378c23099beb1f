import { HeddleError } from '@heddle/kernel';
import { nameEndpoint } from '@heddle/telemetry';
import type { HttpService } from '@heddle/wire';
import { isPreflight } from '../action/cors.ts';
import type { RouteMatch } from '../model/route.ts';
import { Router } from './router.ts';

/** A route and what serves it. */
export interface Routed {
  readonly name: string;
  readonly match: RouteMatch;
  readonly service: HttpService;
  /** It answers a browser's question whether it may be asked, also where it would not match that question itself. */
  readonly answersPreflights: boolean;
}

/**
 * Hands each request to the most specific route's service; names the route for metrics. Rejects with `not_found` /
 * `NO_ROUTE`. Takes normal paths only.
 */
export function routed(routes: readonly Routed[]): HttpService {
  const router = new Router(routes);
  return async (req, call) => {
    const announced = isPreflight(req) ? router.matchAnnounced(req) : undefined;
    const found = announced?.answersPreflights === true ? announced : router.match(req);
    if (found === undefined) {
      const question = req.path.indexOf('?');
      const message = `no route matches ${question === -1 ? req.path : req.path.slice(0, question)}`;
      throw new HeddleError({ code: 'not_found', reason: 'NO_ROUTE', message, sent: false });
    }
    nameEndpoint(call, found.name);
    return found.service(req, call);
  };
}
