import type { HttpRequest } from '@heddle/wire';
import { methodOf } from '../forward/tunnels.ts';
import { hostOf } from '../model/host.ts';
import type { RouteMatch } from '../model/route.ts';
import { type Asked, type Matcher, matcher, mismatch } from './condition.ts';
import { PathTable } from './path-table.ts';
import { bySpecificity } from './specificity.ts';

interface Ranked<R> {
  readonly route: R;
  readonly matcher: Matcher;
}

/** Finds the most specific route for a request; the order is that of `bySpecificity`. */
export class Router<R extends { readonly match: RouteMatch }> {
  /** All routes by the host that they name, wildcards as `.shop.example`; '' for any. */
  readonly #byHost = new Map<string, PathTable<Ranked<R>>>();
  readonly #anyHost: boolean;

  constructor(routes: readonly R[]) {
    for (const { route, match } of ranked(routes)) {
      const host = match.hosts[0]?.replace(/^\*/, '') ?? '';
      const table = this.#byHost.get(host) ?? new PathTable<Ranked<R>>();
      this.#byHost.set(host, table);
      table.add({ route, matcher: matcher(match) });
    }
    this.#anyHost = this.#byHost.size === 0 || (this.#byHost.size === 1 && this.#byHost.has(''));
  }

  /**
   * The request's path is in normal form (see `normalPath`). `server`: of `servers`, where it has come to one. `except`:
   * routes that are not for whoever asks.
   */
  match(request: HttpRequest, server?: string, except?: ReadonlySet<R>): R | undefined {
    return this.#find(askedOf(request, server), except);
  }

  /** The route of the request that a browser asks about beforehand, by what a preflight says of it. */
  matchAnnounced(preflight: HttpRequest, server?: string): R | undefined {
    const { fields } = preflight;
    const names = (fields.get('access-control-request-headers') ?? '').toLowerCase().split(',');
    const method = fields.get('access-control-request-method') ?? '';
    return this.#find(new Taken(preflight, method, new Set(names.map((name) => name.trim())), server));
  }

  #find(asked: Asked, except?: ReadonlySet<R>): R | undefined {
    const take = ({ route, matcher: each }: Ranked<R>): boolean =>
      mismatch(each, asked) === undefined && except?.has(route) !== true;
    if (!this.#anyHost) {
      for (const name of namesOf(asked.host)) {
        const found = this.#byHost.get(name)?.find(asked, take);
        if (found !== undefined) return found.route;
      }
    }
    return this.#byHost.get('')?.find(asked, take)?.route;
  }
}

/** The routes in order, the most specific first; one with several hosts once for each. */
export function ranked<R extends { readonly match: RouteMatch }>(
  routes: readonly R[],
): { readonly route: R; readonly match: RouteMatch }[] {
  const apart = routes.flatMap((route) => {
    const { match } = route;
    if (match.hosts.length < 2) return [{ route, match }];
    return match.hosts.map((host) => ({ route, match: { ...match, hosts: [host] } }));
  });
  return apart.toSorted((a, b) => bySpecificity(a.match, b.match));
}

/** Takes a request apart for the comparison. */
export function askedOf(request: HttpRequest, server?: string): Asked {
  return new Taken(request, methodOf(request), undefined, server);
}

class Taken implements Asked {
  readonly request: HttpRequest;
  readonly method: string;
  readonly path: string;
  readonly announced: ReadonlySet<string> | undefined;
  readonly server: string | undefined;
  #host: string | undefined;
  #parameters: URLSearchParams | undefined;

  constructor(
    request: HttpRequest,
    method: string,
    announced: ReadonlySet<string> | undefined,
    server: string | undefined,
  ) {
    const question = request.path.indexOf('?');
    this.request = request;
    this.method = method;
    this.path = question === -1 ? request.path : request.path.slice(0, question);
    this.announced = announced;
    this.server = server;
  }

  get host(): string {
    return (this.#host ??= hostOf(this.request.authority));
  }

  query(): URLSearchParams {
    const { length } = this.path;
    return (this.#parameters ??= new URLSearchParams(this.request.path.slice(length)));
  }
}

/** The names under which routes for a host are kept: itself, then `.b.c` and `.c` for `a.b.c`. */
function* namesOf(host: string): Generator<string> {
  if (host === '') return;
  yield host;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) yield host.slice(dot);
}
