import { isRetryWord, retryWords } from '../../forward/retry-words.ts';
import { bySpecificity } from '../../router/specificity.ts';
import { flag, list, object, oneOf, type Place, type Read, text, whole } from '../document.ts';
import type { RouteMatch, ValueMatch } from '../route.ts';
import { plainPath, regexText, type RouteDocument } from '../route-schema.ts';
import type { IstioWorld, ServedHosts } from './istio-world.ts';
import { reportOtherNames, type TlsRule, tlsRule } from './tls-rule.ts';
import {
  type Destination,
  destination,
  duration,
  gatewayName,
  headerConditions,
  headers,
  hostName,
  label,
  labels,
  mesh,
  metadata,
  method,
  missingHeaders,
  percentage,
  queryConditions,
  uri,
} from './values.ts';

/** `isOurs`: false for one that is for sidecars only. */
type Match = Omit<RouteMatch, 'hosts'> & { readonly isOurs: boolean };

const everything: Match = {
  path: { kind: 'prefix', value: '/' },
  methods: [],
  headers: [],
  query: [],
  isOurs: true,
};

const match: Read<Match> = (at) => {
  const made = object<{
    name?: string;
    uri?: RouteMatch['path'];
    method?: string;
    headers?: ValueMatch[];
    queryParams?: ValueMatch[];
    withoutHeaders?: ValueMatch[];
    gateways?: string[];
    sourceLabels?: readonly (readonly [string, string])[];
    sourceNamespace?: string;
  }>(
    {
      name: text('a name'),
      uri,
      method,
      headers: headerConditions,
      queryParams: queryConditions,
      withoutHeaders: missingHeaders,
      gateways: list(gatewayName, 16),
      sourceLabels: labels,
      sourceNamespace: label,
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  return {
    path: made.uri ?? everything.path,
    methods: made.method === undefined ? [] : [made.method],
    headers: [...(made.headers ?? []), ...(made.withoutHeaders ?? [])],
    query: made.queryParams ?? [],
    // Both are of the workload that a sidecar is beside. Whoever comes to a gateway has none.
    isOurs:
      made.sourceLabels === undefined &&
      made.sourceNamespace === undefined &&
      made.gateways?.every((name) => name === mesh) !== true,
  };
};

interface Rule {
  name?: string;
  match?: Match[];
  route?: { destination: Destination; weight?: number }[];
  redirect?: {
    uri?: string;
    authority?: string;
    port?: number;
    scheme?: 'http' | 'https';
    redirectCode?: number;
  };
  directResponse?: { status: number; body?: { string: string } };
  rewrite?: { uri?: string; authority?: string; uriRegexRewrite?: { match: string; rewrite: string } };
  timeout?: number;
  retries?: { attempts: number; perTryTimeout?: number; retryOn?: string[] };
  fault?: {
    delay?: { percentage?: { value: number }; fixedDelay: number };
    abort?: { percentage?: { value: number }; httpStatus: number };
  };
  mirror?: Destination;
  mirrorPercentage?: { value: number };
  corsPolicy?: {
    allowOrigins?: string[];
    allowMethods?: string[];
    allowHeaders?: string[];
    exposeHeaders?: string[];
    maxAge?: number;
    allowCredentials?: boolean;
  };
  headers?: {
    request?: NonNullable<RouteDocument['request']>;
    response?: NonNullable<RouteDocument['response']>;
  };
}

/** Reads `retryOn`: words with commas between them. */
const retryOn: Read<string[]> = (at) => {
  const words = typeof at.plain === 'string' ? at.plain.split(',').map((word) => word.trim()) : [''];
  const unknown = words.find((word) => !isRetryWord(word));
  if (unknown === undefined) return words;
  const known = [...retryWords].join(', ');
  return at.problem(
    `${JSON.stringify(unknown)} is none of the conditions ${known}, and no status such as 503`,
  );
};

const texts = list(text('a text'), 64);
const origin: Read<string> = (at) =>
  object<{ exact: string }>({ exact: text('an origin such as https://shop.example, or "*"') }, ['exact'])(at)
    ?.exact;

const rule: Read<Rule> = object<Rule>(
  {
    name: text('a name'),
    match: list(match, 64),
    route: list(
      object<{ destination: Destination; weight?: number }>({ destination, weight: whole(0, 1_000_000) }, [
        'destination',
      ]),
      16,
    ),
    redirect: object<NonNullable<Rule['redirect']>>(
      {
        uri: plainPath,
        authority: hostName,
        port: whole(1, 65_535),
        scheme: oneOf('http', 'https'),
        redirectCode: whole(301, 308),
      },
      [],
    ),
    directResponse: object<NonNullable<Rule['directResponse']>>(
      { status: whole(200, 599), body: object<{ string: string }>({ string: text('a text') }, ['string']) },
      ['status'],
    ),
    rewrite: object<NonNullable<Rule['rewrite']>>(
      {
        uri: plainPath,
        authority: hostName,
        uriRegexRewrite: object<{ match: string; rewrite: string }>(
          { match: regexText, rewrite: text('a text') },
          ['match', 'rewrite'],
        ),
      },
      [],
    ),
    timeout: duration,
    retries: object<NonNullable<Rule['retries']>>(
      { attempts: whole(0, 20), perTryTimeout: duration, retryOn },
      ['attempts'],
    ),
    fault: object<NonNullable<Rule['fault']>>(
      {
        delay: object<{ percentage?: { value: number }; fixedDelay: number }>(
          { percentage, fixedDelay: duration },
          ['fixedDelay'],
        ),
        abort: object<{ percentage?: { value: number }; httpStatus: number }>(
          { percentage, httpStatus: whole(200, 599) },
          ['httpStatus'],
        ),
      },
      [],
    ),
    mirror: destination,
    mirrorPercentage: percentage,
    corsPolicy: object<NonNullable<Rule['corsPolicy']>>(
      {
        allowOrigins: list(origin, 64),
        allowMethods: texts,
        allowHeaders: texts,
        exposeHeaders: texts,
        maxAge: duration,
        allowCredentials: flag,
      },
      [],
    ),
    headers,
  },
  [],
);

/** A rule of a VirtualService as routes of a gateway; undefined where it has mistakes. */
export interface VirtualRule {
  readonly place: Place;
  readonly matches: readonly RouteMatch[];
  readonly document: RouteDocument | undefined;
}

/**
 * Reads a VirtualService. Its first rule that fits holds, and the gateway's most specific one: where these are not the same,
 * that is a problem of the file.
 */
export function virtualRules(
  at: Place,
  title: string,
  world: IstioWorld,
): readonly VirtualRule[] | undefined {
  const made = object<{
    apiVersion: string;
    kind: string;
    metadata: unknown;
    spec: { hosts: string[]; gateways?: string[]; http?: unknown[]; tls?: TlsRule[] };
  }>(
    {
      apiVersion: text('a version'),
      kind: text('a kind'),
      metadata,
      spec: object<{ hosts: string[]; gateways?: string[]; http?: unknown[]; tls?: TlsRule[] }>(
        // The rules are read below, each by its own name: so that a mistake closes its rule and no other.
        {
          hosts: list(hostName, 100),
          gateways: list(gatewayName, 16),
          http: () => [],
          tls: list(tlsRule, 64),
        },
        ['hosts'],
      ),
    },
    ['apiVersion', 'kind', 'metadata', 'spec'],
  )(at);
  const spec = at.key('spec');
  const places = spec?.key('http')?.items((index) => `${title} http[${index}]`);
  const { http, tls } = made?.spec ?? {};
  if (
    made === undefined ||
    spec === undefined ||
    (places === undefined && (http !== undefined || tls === undefined))
  )
    return at.expected('"spec" with "http" or "tls"');
  const served = world.servedHosts(spec);
  if (tls !== undefined) reportTls(spec, tls, made.spec.hosts, world);
  const rules = (places ?? []).map((place) => virtualRule(place, served, made.spec.gateways ?? [], world));
  reportOrder(rules);
  return rules;
}

/** Where its connections go is read again by the world, of all VirtualServices together. */
function reportTls(
  spec: Place,
  rules: readonly TlsRule[],
  hosts: readonly string[],
  world: IstioWorld,
): void {
  const at = spec.key('tls') ?? spec;
  const places = at.items((index) => `${at.path}[${index}]`) ?? [];
  for (const [index, each] of rules.entries()) {
    const place = places[index] ?? at;
    reportOtherNames(place, each, hosts);
    for (const { destination: to } of each.route) world.upstreamOf(place, to);
  }
  if (!world.passesFor(spec)) at.problem('"tls" needs a server with PASSTHROUGH of a Gateway in these files');
}

function virtualRule(
  place: Place,
  served: readonly ServedHosts[],
  gateways: readonly string[],
  world: IstioWorld,
): VirtualRule {
  const made = rule(place);
  const silent = place.silent().key('match');
  const known = made?.match ?? (silent === undefined ? [] : (list(match, 64)(silent) ?? []));
  const isReadable = made !== undefined || silent === undefined || known.length > 0;
  const all = known.length === 0 ? [everything] : known;
  const ours = all.filter(({ isOurs }) => isOurs);
  if (ours.length < all.length && gateways.length > 0 && !gateways.includes(mesh))
    place.problem(
      '"sourceLabels", "sourceNamespace" and the gateway "mesh" are for sidecars: expected "mesh" among the "gateways" of the VirtualService',
    );
  const matches = isReadable
    ? served.flatMap((at) => ours.map(({ isOurs: _, ...each }) => ({ ...at, ...each })))
    : [];
  return { place, matches, document: made && documentOf(place, made, world) };
}

function documentOf(at: Place, made: Rule, world: IstioWorld): RouteDocument | undefined {
  const { route, redirect, directResponse, rewrite, retries, mirror, headers: changes } = made;
  if ([route, redirect, directResponse].filter((each) => each !== undefined).length !== 1)
    return at.problem('expected exactly one of "route", "redirect", "directResponse"');
  const split = route?.map(({ destination: to, weight = 1 }) => ({
    upstream: world.upstreamOf(at, to),
    weight,
  }));
  return {
    ...(made.name !== undefined && { name: made.name }),
    ...(split !== undefined && { split }),
    ...(redirect !== undefined && { redirect: redirectOf(redirect) }),
    ...(directResponse !== undefined && {
      respond: { status: directResponse.status, body: directResponse.body?.string ?? '' },
    }),
    ...(rewrite?.uri !== undefined && { rewrite: rewrite.uri }),
    ...(rewrite?.authority !== undefined && { forwardHost: rewrite.authority }),
    ...(rewrite?.uriRegexRewrite !== undefined && {
      rewriteRegex: {
        pattern: rewrite.uriRegexRewrite.match,
        to: rewrite.uriRegexRewrite.rewrite.replaceAll(/\\(\d)/g, '$$$1'),
      },
    }),
    ...(made.timeout !== undefined && { timeoutMs: made.timeout }),
    // There it is how often it is tried again, here how often in all.
    ...(retries !== undefined && { attempts: retries.attempts + 1 }),
    ...(retries?.retryOn !== undefined && { retryOn: retries.retryOn }),
    ...(retries?.perTryTimeout !== undefined && { attemptTimeoutMs: retries.perTryTimeout }),
    ...(made.fault !== undefined && { fault: faultOf(made.fault) }),
    ...(mirror !== undefined && {
      mirror: { upstream: world.upstreamOf(at, mirror), percent: made.mirrorPercentage?.value ?? 100 },
    }),
    ...(made.corsPolicy !== undefined && { cors: corsOf(made.corsPolicy) }),
    ...(changes?.request !== undefined && { request: changes.request }),
    ...(changes?.response !== undefined && { response: changes.response }),
  };
}

function redirectOf({
  uri: path,
  authority,
  port,
  scheme,
  redirectCode = 301,
}: NonNullable<Rule['redirect']>): NonNullable<RouteDocument['redirect']> {
  return {
    status: redirectCode,
    ...(path !== undefined && { path }),
    ...(authority !== undefined && { host: authority }),
    ...(port !== undefined && { port }),
    ...(scheme !== undefined && { scheme }),
  };
}

function faultOf({ delay, abort }: NonNullable<Rule['fault']>): NonNullable<RouteDocument['fault']> {
  return {
    ...(delay !== undefined && { delay: { percent: delay.percentage?.value ?? 100, ms: delay.fixedDelay } }),
    ...(abort !== undefined && {
      abort: { percent: abort.percentage?.value ?? 100, status: abort.httpStatus },
    }),
  };
}

function corsOf(given: NonNullable<Rule['corsPolicy']>): NonNullable<RouteDocument['cors']> {
  const lower = (names: string[] = []): string[] => names.map((name) => name.toLowerCase());
  return {
    origins: given.allowOrigins ?? [],
    methods: given.allowMethods ?? [],
    headers: lower(given.allowHeaders),
    expose: lower(given.exposeHeaders),
    credentials: given.allowCredentials ?? false,
    maxAgeSeconds: Math.floor((given.maxAge ?? 5000) / 1000),
  };
}

/** Of two rules for some of the same requests, the one that stands first must be the more specific. */
function reportOrder(rules: readonly VirtualRule[]): void {
  for (const [at, later] of rules.entries())
    for (const earlier of rules.slice(0, at)) {
      const isFirst = earlier.matches.every((first) =>
        later.matches.every(
          (second) =>
            !isSameHost(first, second) || !mayMeet(first, second) || bySpecificity(first, second) <= 0,
        ),
      );
      if (isFirst) continue;
      later.place.problem(
        `is more specific than ${earlier.place.path}, which stands before it and holds in Istio; here the more specific one would: put it first`,
      );
      break;
    }
}

/** Each host has all rules of its VirtualService: those of one host alone meet. */
function isSameHost(a: RouteMatch, b: RouteMatch): boolean {
  return a.hosts === b.hosts && a.servers === b.servers;
}

/** False where no request can be for both. */
function mayMeet(a: RouteMatch, b: RouteMatch): boolean {
  if (a.methods.length > 0 && b.methods.length > 0 && !a.methods.some((each) => b.methods.includes(each)))
    return false;
  const differ = a.headers.some(({ name, kind, value }) =>
    b.headers.some(
      (other) => other.name === name && kind === 'exact' && other.kind === 'exact' && other.value !== value,
    ),
  );
  if (differ) return false;
  const [first, second] = [a.path, b.path];
  if (first.kind === 'exact' && second.kind === 'exact') return first.value === second.value;
  const within = (path: string, prefix: string): boolean =>
    prefix === '/' || path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  if (
    first.kind === 'prefix' &&
    second.kind !== 'regex' &&
    second.kind !== 'template' &&
    !within(second.value, first.value)
  )
    return second.kind === 'prefix' && within(first.value, second.value);
  if (second.kind === 'prefix' && first.kind === 'exact') return within(first.value, second.value);
  return true;
}
