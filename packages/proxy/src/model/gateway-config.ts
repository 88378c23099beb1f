import { type AuthConfig, authConfig } from '../auth/auth-schema.ts';
import { DocumentReader, list, object, type Place, type Read, text, whole } from './document.ts';
import { withoutSlash } from '../router/normal-path.ts';
import { matchOf, routeOf } from './complete-route.ts';
import { badConfig, type ConfigProblem } from './problem.ts';
import type { RouteConfig, RouteMatch } from './route.ts';
import { matchShape, type RouteDocument, routeDocument } from './route-schema.ts';

/** A route that is not served, because something is wrong with it. */
export interface QuarantinedRoute {
  /** `routes[3]`. */
  readonly at: string;
  /** What it is for, where that much can be read: such requests are refused, and reach no less specific route. */
  readonly match: RouteMatch | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** What a gateway is run with. */
export interface GatewayConfig {
  /** Where it listens. Default 127.0.0.1:8080. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly limits: {
    /** Requests in flight; further ones get 503. Default 4096. */
    readonly maxRequests: number;
    /** Bytes of a request's body; larger ones get 413. Default 10 MiB. */
    readonly maxBodyBytes: number;
  };
  /** How callers can prove who they are. */
  readonly auth: AuthConfig;
  readonly routes: readonly RouteConfig[];
  readonly quarantined: readonly QuarantinedRoute[];
}

interface Limits {
  maxRequests?: number;
  maxBodyBytes?: number;
}

interface GatewayDocument {
  listen?: { host?: string; port?: number };
  limits?: Limits;
  auth?: AuthConfig;
  routes: RouteEntry[];
}

/** A route as read, and where; its parts are undefined where they cannot be read. */
interface RouteEntry {
  readonly at: string;
  readonly match: RouteMatch | undefined;
  readonly route: RouteConfig | undefined;
}

const maxDocumentLength = 1_048_576;
const mebibyte = 1_048_576;

const gateway: Read<GatewayDocument> = object<GatewayDocument>(
  {
    listen: object(
      { host: text('a host name or IP address', (value) => value !== ''), port: whole(0, 65_535) },
      [],
    ),
    limits: object({ maxRequests: whole(1, 1_000_000), maxBodyBytes: whole(0, 1024 * mebibyte) }, []),
    auth: authConfig,
    routes: entries,
  },
  ['routes'],
);

/**
 * Reads a gateway file (YAML or JSON). `source` names it in messages. Throws `invalid_argument` / `BAD_CONFIG` with
 * every problem of the document, each with line and column.
 */
export function readGatewayConfig(content: string, source: string): GatewayConfig {
  const { config, problems } = read(content, source);
  if (config === undefined || problems.length > 0) throw badConfig(source, problems);
  return config;
}

/**
 * As `readGatewayConfig`, but problems of single routes only put these into `quarantined`. Throws `BAD_CONFIG` for all
 * others, and when no route is left: a gateway that serves nothing is not what anybody meant.
 */
export function loadGatewayConfig(content: string, source: string): GatewayConfig {
  const { config, problems } = read(content, source);
  const outside = problems.filter(({ at }) => routeOfProblem(at) === undefined);
  const nothingLeft = config?.routes.length === 0 && problems.length > 0;
  if (config === undefined || outside.length > 0 || nothingLeft) throw badConfig(source, problems);
  return config;
}

interface ReadConfig {
  readonly config: GatewayConfig | undefined;
  /** In the order of the document. */
  readonly problems: readonly ConfigProblem[];
}

function read(content: string, source: string): ReadConfig {
  if (content.length > maxDocumentLength) {
    const message = `expected at most ${maxDocumentLength} characters, found ${content.length}`;
    throw badConfig(source, [{ line: 1, column: 1, at: '', message }]);
  }
  const document = new DocumentReader(content);
  // A document that is not even YAML would only give consequential problems.
  const given = document.problems.length > 0 ? undefined : gateway(document.root);
  const config = given === undefined ? undefined : complete(given, document);
  return { config, problems: inOrder(document.problems) };
}

function complete(given: GatewayDocument, document: DocumentReader): GatewayConfig {
  const limits = {
    maxRequests: given.limits?.maxRequests ?? 4096,
    maxBodyBytes: given.limits?.maxBodyBytes ?? 10 * mebibyte,
  };
  const problemsOf = (at: string): ConfigProblem[] =>
    inOrder(document.problems.filter((problem) => routeOfProblem(problem.at) === at));
  const judged = given.routes.map((each) => ({ ...each, problems: problemsOf(each.at) }));
  return {
    listen: { host: given.listen?.host ?? '127.0.0.1', port: given.listen?.port ?? 8080 },
    limits,
    auth: given.auth ?? {},
    routes: judged.flatMap(({ route, problems }) =>
      route === undefined || problems.length > 0 ? [] : [route],
    ),
    quarantined: judged
      .filter(({ problems }) => problems.length > 0)
      .map(({ at, match, problems }) => ({ at, match, problems })),
  };
}

/** Always gives an entry, so that a bad route does not hide the others. */
function entry(place: Place): RouteEntry {
  const at = place.path;
  const document = routeDocument(place);
  if (document !== undefined) {
    const match = matchOf(place, document);
    return { at, match, route: routeOf(place, document, match) };
  }
  // What it is for may be readable although the rest is not. What is wrong has been reported already.
  const silent = place.silent();
  const matchOnly = object<RouteDocument>(matchShape as never, [])(silent);
  return { at, match: matchOnly === undefined ? undefined : matchOf(silent, matchOnly), route: undefined };
}

/** Of two routes for the same requests the second would never be asked. */
function entries(place: Place): RouteEntry[] | undefined {
  const seen = new Map<string, string>();
  const once: Read<RouteEntry> = (at) => {
    const made = entry(at);
    if (made.match === undefined) return made;
    const { kind, value } = made.match.path;
    const plain = kind === 'prefix' ? withoutSlash(value) : value;
    const key = JSON.stringify({ ...made.match, path: { kind, value: plain } });
    const first = seen.get(key);
    if (first === undefined) seen.set(key, made.at);
    else at.problem(`is for the same requests as ${first}: ${value}`);
    return made;
  };
  return list(once, 10_000)(place);
}

function routeOfProblem(at: string): string | undefined {
  return /^routes\[\d+\]/.exec(at)?.[0];
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
