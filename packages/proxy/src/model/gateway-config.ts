import type { AccessLog } from '../answer/access-log.ts';
import { type AuthConfig, authConfig } from '../auth/auth-schema.ts';
import { decisionPoint, type DecisionPointConfig } from '../decide/decide-schema.ts';
import {
  DocumentReader,
  list,
  number,
  object,
  oneOf,
  type Place,
  type Read,
  text,
  whole,
} from './document.ts';
import { rateLimitStore, type RateLimitStoreConfig } from '../limit/store-schema.ts';
import { withoutSlash } from '../router/normal-path.ts';
import { isResource, resourceRoutes } from './gateway-api/routes-of.ts';
import { type CheckPolicies, isPolicy, type PolicyResource } from './istio/policy.ts';
import { isSecret, secretOf } from './istio/secret.ts';
import { istioKindOf, IstioWorld } from './istio/istio-world.ts';
import { istioRoutes } from './istio/routes-of.ts';
import { matchOf, routeOf } from './complete-route.ts';
import {
  defaultLimits,
  type LimitsConfig,
  type LimitsDocument,
  limits,
  type TlsConfig,
  tls,
  trustedProxies,
  zones,
} from './listen-schema.ts';
import type { HeddleError } from '@heddle/kernel';
import { badConfig, type ConfigProblem } from './problem.ts';
import { isUpstreamName, type UpstreamConfig, upstreams } from '../upstream/upstream-schema.ts';
import type { RouteConfig, RouteMatch } from './route.ts';
import type { ServerConfig } from './server.ts';
import { matchShape, type RouteDocument, routeDocument } from './route-schema.ts';

/** A route that is not served, because something is wrong with it. */
export interface QuarantinedRoute {
  /** `routes[3]`. */
  readonly at: string;
  /** The file that it is in. */
  readonly source: string;
  /** What it is for, where that much can be read: such requests are refused, and reach no less specific route. */
  readonly match: RouteMatch | undefined;
  /** A route that was good in the version before serves its requests (see `keepGoodRoutes`). */
  readonly kept: boolean;
  readonly problems: readonly ConfigProblem[];
}

/** What a gateway is run with. */
export interface GatewayConfig {
  /** Where it listens. Default 127.0.0.1:8080. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly limits: LimitsConfig;
  /** Undefined: the listener speaks no TLS. */
  readonly tls: TlsConfig | undefined;
  /** Servers of TLS with ports of their own. */
  readonly servers: readonly ServerConfig[];
  /** Proxies in front whose word on the caller is believed: addresses and ranges. Empty: nobody's. */
  readonly trustedProxies: readonly string[];
  /** Where callers are, by their addresses. */
  readonly zones: Readonly<Record<string, readonly string[]>>;
  /** Undefined: nothing is written. */
  readonly accessLog: AccessLog | undefined;
  /** How callers can prove who they are. */
  readonly auth: AuthConfig;
  /** Where several gateways count their rate limits together. Undefined: each counts alone. */
  readonly rateLimitStore: RateLimitStoreConfig | undefined;
  /** Who is asked besides for routes with `decide`. */
  readonly decisionPoint: DecisionPointConfig | undefined;
  /** What routes name instead of a target, by name. */
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
  /** Who may come at all, whatever the route. */
  readonly policies: readonly PolicyResource[];
  readonly routes: readonly RouteConfig[];
  readonly quarantined: readonly QuarantinedRoute[];
}

interface GatewayDocument {
  listen?: { host?: string; port?: number };
  limits?: LimitsDocument;
  tls?: TlsConfig;
  trustedProxies?: string[];
  zones?: Readonly<Record<string, readonly string[]>>;
  accessLog?: { format?: 'json' | 'common'; sample?: number };
  auth?: AuthConfig;
  rateLimitStore?: RateLimitStoreConfig;
  decisionPoint?: DecisionPointConfig;
  upstreams?: Readonly<Record<string, UpstreamConfig>>;
  routes: RouteEntry[];
}

/** A route as read, and where; its parts are undefined where they cannot be read. */
interface RouteEntry {
  readonly at: string;
  readonly place: Place;
  readonly match: RouteMatch | undefined;
  readonly route: RouteConfig | undefined;
}

const maxDocumentLength = 1_048_576;

const gateway: Read<GatewayDocument> = object<GatewayDocument>(
  {
    listen: object(
      { host: text('a host name or IP address', (value) => value !== ''), port: whole(0, 65_535) },
      [],
    ),
    limits,
    tls,
    trustedProxies,
    zones,
    accessLog: object<NonNullable<GatewayDocument['accessLog']>>(
      { format: oneOf('json', 'common'), sample: number(0, 1) },
      [],
    ),
    auth: authConfig,
    rateLimitStore,
    decisionPoint,
    upstreams,
    routes: list(entry, 10_000),
  },
  ['routes'],
);

/** One file of a configuration. */
export interface ConfigDocument {
  /** Names it in messages. */
  readonly source: string;
  /** YAML or JSON. */
  readonly content: string;
}

/**
 * Reads a gateway file (YAML or JSON). `source` names it in messages. Throws `invalid_argument` / `BAD_CONFIG` with
 * every problem of the document, each with line and column.
 */
export function readGatewayConfig(content: string, source: string): GatewayConfig {
  return readGatewayDocuments([{ content, source }]);
}

/**
 * As `readGatewayConfig`, for a configuration of several files: routes may be in each, anything else in one. `policies` reads
 * those of Istio; without it they are a mistake.
 */
export function readGatewayDocuments(
  documents: readonly ConfigDocument[],
  policies?: CheckPolicies,
): GatewayConfig {
  const { config, problems } = read(documents, policies);
  if (config === undefined || problems.length > 0) throw badConfig(documents[0]?.source ?? '', problems);
  return config;
}

/**
 * As `readGatewayConfig`, but problems of single routes only put these into `quarantined`. Throws `BAD_CONFIG` for all
 * others, and when no route is left: a gateway that serves nothing is not what anybody meant.
 */
export function loadGatewayConfig(content: string, source: string): GatewayConfig {
  return loadGatewayDocuments([{ content, source }]);
}

/** As `loadGatewayConfig`, for a configuration of several files; `policies` as in `readGatewayDocuments`. */
export function loadGatewayDocuments(
  documents: readonly ConfigDocument[],
  policies?: CheckPolicies,
): GatewayConfig {
  const { config, problems } = read(documents, policies);
  const outside = problems.filter(({ at }) => routeOfProblem(at) === undefined);
  const nothingLeft = config?.routes.length === 0 && problems.length > 0;
  if (config === undefined || outside.length > 0 || nothingLeft)
    throw badConfig(documents[0]?.source ?? '', problems);
  return config;
}

/**
 * What keeps one of several files from being read at all, whatever the others hold; undefined if nothing does. Mistakes of its
 * routes do not.
 */
export function fileProblem(
  { source }: ConfigDocument,
  documents: readonly ConfigDocument[],
  policies?: CheckPolicies,
): HeddleError | undefined {
  const readers = documents.flatMap((document) => {
    try {
      return readersOf(document);
    } catch (thrown) {
      if (document.source === source) throw thrown;
      return [];
    }
  });
  const istio = new IstioWorld(readers.map(({ document }) => document.root));
  const own = readers.filter((reader) => reader.source === source);
  const problems = [
    ...own.map((reader) => partOf(reader, istio)).flatMap((part) => problemsOf(part)),
    ...(policies?.(documents.filter((document) => document.source === source)) ?? []),
  ].filter(({ at }) => routeOfProblem(at) === undefined);
  return problems.length === 0 ? undefined : badConfig(source, problems);
}

interface ReadConfig {
  readonly config: GatewayConfig | undefined;
  /** In the order of the documents. */
  readonly problems: readonly ConfigProblem[];
}

/** A document as read: `given` is undefined where nothing can be made of it. */
interface Part {
  readonly source: string;
  readonly document: DocumentReader;
  readonly given: GatewayDocument | undefined;
}

function read(documents: readonly ConfigDocument[], policies?: CheckPolicies): ReadConfig {
  const readers = documents.flatMap(readersOf);
  const istio = new IstioWorld(readers.map(({ document }) => document.root));
  const parts = readers.map((reader) => partOf(reader, istio));
  reportTwice(parts);
  reportUndecidable(parts);
  reportUnprovable(parts);
  reportUnknownUpstreams(parts, Object.keys(istio.upstreams));
  reportUnknownZones(parts);
  const written = readers.filter(({ document }) => isPolicy(document.root));
  const found = policies?.(documents.filter(({ source }) => written.some((each) => each.source === source)));
  if (found === undefined)
    for (const { document } of written) document.root.problem('policies are not read here');
  const whole = parts.every(({ given }) => given !== undefined);
  const resources = written.map(({ document }) => document.root.plain as PolicyResource);
  const config = whole ? { ...complete(parts, istio), policies: resources } : undefined;
  return { config, problems: [...parts.flatMap((part) => problemsOf(part)), ...(found ?? [])] };
}

/** A document, before it is read. */
interface Reader {
  readonly source: string;
  readonly document: DocumentReader;
  readonly isResource: boolean;
}

/** A file of resources may hold several, each a document of its own. */
function readersOf({ content, source }: ConfigDocument): Reader[] {
  if (content.length > maxDocumentLength) {
    const message = `expected at most ${maxDocumentLength} characters, found ${content.length}`;
    throw badConfig(source, [{ line: 1, column: 1, at: '', message }]);
  }
  const ofResources = isResource(content);
  const readers = ofResources ? DocumentReader.several(content) : [new DocumentReader(content)];
  return readers.map((document) => ({ source, document, isResource: ofResources }));
}

function partOf({ source, document, isResource: ofResources }: Reader, istio: IstioWorld): Part {
  // A document that is not even YAML would only give consequential problems.
  if (document.problems.length > 0) return { source, document, given: undefined };
  const given = ofResources ? resource(document.root, istio) : gateway(document.root);
  return { source, document, given };
}

function resource(root: Place, istio: IstioWorld): GatewayDocument | undefined {
  if (isSecret(root)) return secretOf(root) && { routes: [] };
  // What it says is for `CheckPolicies`.
  if (isPolicy(root)) return { routes: [] };
  const routes = istioKindOf(root) === undefined ? resourceRoutes(root) : istioRoutes(root, istio);
  return routes && { routes };
}

/** Of two routes for the same requests the second would never be asked; of two sections nobody could say which holds. */
function reportTwice(parts: readonly Part[]): void {
  const seen = new Map<string, string>();
  const sections = new Map<string, string>();
  for (const { given, source, document } of parts) {
    for (const section of Object.keys(given ?? {}).filter((key) => key !== 'routes')) {
      const first = sections.get(section);
      if (first === undefined) sections.set(section, source);
      else document.root.problem(`"${section}" is in ${first} already, and may be in one file only`);
    }
    for (const { match, place } of given?.routes ?? []) {
      if (match === undefined) continue;
      const key = matchKey(match);
      const first = seen.get(key);
      if (first !== undefined) place.problem(`is for the same requests as ${first}: ${match.path.value}`);
      else seen.set(key, parts.length === 1 ? place.path : `${place.path} of ${source}`);
    }
  }
}

/** A route that asks needs somebody to ask. */
function reportUndecidable(parts: readonly Part[]): void {
  if (parts.some(({ given }) => given?.decisionPoint !== undefined)) return;
  for (const { given } of parts)
    for (const { route, place } of given?.routes ?? [])
      if (route?.decide !== undefined) place.problem('"decide" needs the section "decisionPoint"');
}

/** A proof that nobody can give closes a route. Keys may also be managed elsewhere. */
function reportUnprovable(parts: readonly Part[]): void {
  const auth: AuthConfig = Object.assign({}, ...parts.map(({ given }) => given?.auth));
  const sections = {
    jwt: auth.jwt,
    basic: auth.basic,
    introspection: auth.introspection,
    oidc: auth.oidc,
    clientCertificate: auth.clientCertificates,
    apiKey: {},
  };
  for (const { given } of parts)
    for (const { route, place } of given?.routes ?? [])
      for (const method of [...(route?.auth?.any ?? []), ...(route?.auth?.all ?? [])]) {
        if (sections[method] !== undefined) continue;
        const section = method === 'clientCertificate' ? 'clientCertificates' : method;
        (place.key('auth') ?? place).problem(`"${method}" needs "${section}" in the section "auth"`);
      }
}

/** A name stands for an entry of `upstreams`. A route's own is looked at even where there are other mistakes. */
function reportUnknownUpstreams(parts: readonly Part[], ruled: readonly string[]): void {
  const known = new Set([
    ...ruled,
    ...parts.flatMap(({ document }) => Object.keys(document.root.key('upstreams')?.plain ?? {})),
  ]);
  for (const { given, document } of parts) {
    // Of what is not even YAML nothing more is told.
    const isYaml = given !== undefined || document.isYaml;
    const unread = isYaml ? document.root.key('routes')?.items((index) => `routes[${index}]`) : undefined;
    for (const { route, place } of given?.routes ?? unread?.map(unreadRoute) ?? []) {
      const at = place.key('upstream');
      const own = at?.plain;
      for (const name of new Set([...(typeof own === 'string' ? [own] : []), ...upstreamsOf(route)])) {
        if (!isUpstreamName(name) || known.has(name)) continue;
        const where = at !== undefined && name === own ? at : place;
        where.problem(`"${name}" is no target, and not in "upstreams"`);
      }
    }
  }
}

function unreadRoute(place: Place): { readonly route: undefined; readonly place: Place } {
  return { route: undefined, place };
}

/** A zone that nobody can be in would close its route without a word. */
function reportUnknownZones(parts: readonly Part[]): void {
  const known = new Set(parts.flatMap(({ given }) => Object.keys(given?.zones ?? {})));
  for (const { given } of parts)
    for (const { match, place } of given?.routes ?? [])
      for (const name of match?.source?.zones ?? [])
        if (!known.has(name)) place.problem(`the zone "${name}" is not in "zones"`);
}

/** Every upstream that a route has to do with. */
function upstreamsOf(route: RouteConfig | undefined): string[] {
  const { action, mirror } = route ?? {};
  const forwarded = action?.kind === 'forward' ? [...action.shares, ...action.variants] : [];
  return [...forwarded, ...(mirror === undefined ? [] : [mirror])].map(({ upstream }) => upstream);
}

/** The same for matches of the same requests. */
export function matchKey(match: RouteMatch): string {
  const { kind, value } = match.path;
  return JSON.stringify({ ...match, path: { kind, value: kind === 'prefix' ? withoutSlash(value) : value } });
}

function problemsOf({ source, document }: Part, route?: string): ConfigProblem[] {
  const own = document.problems.filter(({ at }) => route === undefined || routeOfProblem(at) === route);
  return inOrder(own).map((problem) => ({ ...problem, source }));
}

function complete(parts: readonly Part[], istio: IstioWorld): Omit<GatewayConfig, 'policies'> {
  const given: Omit<GatewayDocument, 'routes'> = Object.assign({}, ...parts.map((part) => part.given));
  const judged = parts.flatMap((part) =>
    (part.given?.routes ?? []).map((each) => ({
      ...each,
      source: part.source,
      problems: problemsOf(part, each.at),
    })),
  );
  return {
    listen: { host: given.listen?.host ?? '127.0.0.1', port: given.listen?.port ?? 8080 },
    limits: { ...defaultLimits, ...given.limits },
    tls: given.tls,
    servers: istio.servers,
    trustedProxies: given.trustedProxies ?? [],
    zones: given.zones ?? {},
    accessLog: given.accessLog === undefined ? undefined : { format: 'json', sample: 1, ...given.accessLog },
    auth: given.auth ?? {},
    rateLimitStore: given.rateLimitStore,
    decisionPoint: given.decisionPoint,
    upstreams: { ...istio.upstreams, ...given.upstreams },
    routes: judged.flatMap(({ route, problems }) =>
      route === undefined || problems.length > 0 ? [] : [route],
    ),
    quarantined: judged
      .filter(({ problems }) => problems.length > 0)
      .map(({ at, source, match, problems }) => ({ at, source, match, kept: false, problems })),
  };
}

/** Always gives an entry, so that a bad route does not hide the others. */
function entry(place: Place): RouteEntry {
  const at = place.path;
  const document = routeDocument(place);
  if (document !== undefined) {
    const match = matchOf(place, document);
    return { at, place, match, route: routeOf(place, document, match) };
  }
  // What it is for may be readable although the rest is not. What is wrong has been reported already.
  const silent = place.silent();
  const matchOnly = object<RouteDocument>(matchShape as never, [])(silent);
  return {
    at,
    place,
    match: matchOnly === undefined ? undefined : matchOf(silent, matchOnly),
    route: undefined,
  };
}

function routeOfProblem(at: string): string | undefined {
  return /^(routes\[\d+\]|\w+Route [\w./-]+ rules\[\d+\]|VirtualService [\w./-]+ http\[\d+\])/.exec(at)?.[0];
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
