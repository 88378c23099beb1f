import { type Call, HeddleError } from '@heddle/kernel';
import { nameEndpoint } from '@heddle/telemetry';
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import { isPreflight } from '../action/cors.ts';
import type { RouteMatch } from '../model/route.ts';
import { servedBy } from '../server/arrived.ts';
import { Router } from './router.ts';

/** A route and what serves it. */
export interface Routed {
  readonly name: string;
  readonly match: RouteMatch;
  readonly service: HttpService;
  /** It answers a browser's question whether it may be asked, also where it would not match that question itself. */
  readonly answersPreflights: boolean;
  /** Of a route that is only for some who ask: whether it is for this one. */
  readonly isFor?: ((req: HttpRequest, call: Call) => Promise<boolean>) | undefined;
}

/**
 * Hands each request to the most specific route's service; names the route for metrics. Rejects with `not_found` /
 * `NO_ROUTE`. Takes normal paths only.
 */
export function routed(routes: readonly Routed[]): HttpService {
  const router = new Router(routes);
  return (req, call) => {
    const server = call.get(servedBy);
    const announced = isPreflight(req) ? router.matchAnnounced(req, server) : undefined;
    const found = announced?.answersPreflights === true ? announced : router.match(req, server);
    if (found?.isFor === undefined || found === announced) return goOn(found, req, call);
    return forWhom(router, req, call, found).then((route) => goOn(route, req, call));
  };
}

function goOn(found: Routed | undefined, req: HttpRequest, call: Call): Promise<HttpResponse> {
  if (found === undefined) return Promise.reject(noRoute(req.path));
  nameEndpoint(call, found.name);
  return found.service(req, call);
}

function noRoute(target: string): HeddleError {
  const question = target.indexOf('?');
  const message = `no route matches ${question === -1 ? target : target.slice(0, question)}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_ROUTE', message, sent: false });
}

/** The first route that is for whoever asks, from `first` on. */
async function forWhom(
  router: Router<Routed>,
  req: HttpRequest,
  call: Call,
  first: Routed,
): Promise<Routed | undefined> {
  const passed = new Set<Routed>();
  let found: Routed | undefined = first;
  while (found?.isFor !== undefined && !(await found.isFor(req, call))) {
    passed.add(found);
    found = router.match(req, call.get(servedBy), passed);
  }
  return found;
}
