import { flag, list, number, object, oneOf, type Read, text, whole } from '../document.ts';
import type { ValueMatch } from '../route.ts';
import { isFieldName, regexText, type RouteDocument } from '../route-schema.ts';

/** A header or query condition of the API. */
interface ValueCondition {
  type?: 'Exact' | 'RegularExpression';
  name: string;
  value: string;
}

const anyText: Read<string> = text('a text', (value) => value.length <= 4096);
const header: Read<string> = text('the name of a header field', (value) => isFieldName(value.toLowerCase()));

/** Reads conditions on headers, whose names have no case. */
export const headerConditions: Read<ValueMatch[]> = (at) =>
  list(condition(header), 16)(at)?.map((each) => ({ ...each, name: each.name.toLowerCase() }));

/** Reads conditions on query parameters. */
export const queryConditions: Read<ValueMatch[]> = (at) => list(condition(anyText), 16)(at);

function condition(name: Read<string>): Read<ValueMatch> {
  return (at) => {
    const made = object<ValueCondition>({ type: oneOf('Exact', 'RegularExpression'), name, value: anyText }, [
      'name',
      'value',
    ])(at);
    if (made === undefined) return undefined;
    const kind = made.type === 'RegularExpression' ? 'regex' : 'exact';
    const value = at.key('value');
    if (kind === 'regex' && value !== undefined && regexText(value) === undefined) return undefined;
    return { name: made.name, kind, value: made.value };
  };
}

interface Backend {
  group?: string;
  kind?: string;
  name: string;
  namespace?: string;
  port?: number;
  weight?: number;
}

const label: Read<string> = text('a name of Kubernetes', (value) =>
  /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value),
);
const backendShape = {
  group: text('nothing: services have no group', (value) => value === ''),
  kind: text('Service', (value) => value === 'Service'),
  name: label,
  namespace: label,
  port: whole(1, 65_535),
  weight: whole(0, 1_000_000),
};

/**
 * Reads a `backendRef`. With a port it is the service as the cluster's DNS knows it; without one, the instances that the
 * registry has under its name.
 */
export const backend: Read<{ upstream: string; weight: number }> = (at) => {
  const made = object<Backend>(backendShape, ['name'])(at);
  if (made === undefined) return undefined;
  const { name, namespace, port, weight = 1 } = made;
  if (port !== undefined) return { upstream: `${name}.${namespace ?? 'default'}.svc:${port}`, weight };
  return { upstream: `discovery:///${namespace === undefined ? name : `${name}.${namespace}`}`, weight };
};

interface NameValue {
  name: string;
  value: string;
}

interface Modifier {
  set?: NameValue[];
  add?: NameValue[];
  remove?: string[];
}

const pairs: Read<NameValue[]> = list(
  object<NameValue>({ name: header, value: anyText }, ['name', 'value']),
  64,
);
const modifier: Read<Modifier> = object<Modifier>({ set: pairs, add: pairs, remove: list(header, 64) }, []);

/** Reads a header modifier as the changes of a route. */
const changes: Read<NonNullable<RouteDocument['request']>> = (at) => {
  const made = modifier(at);
  if (made === undefined) return undefined;
  const entries = (given: NameValue[] = []): [string, string][] =>
    given.map(({ name, value }) => [name.toLowerCase(), value]);
  return {
    set: entries(made.set),
    add: entries(made.add),
    remove: (made.remove ?? []).map((name) => name.toLowerCase()),
  };
};

interface Mirror {
  backendRef: { upstream: string; weight: number };
  percent?: number;
  fraction?: { numerator: number; denominator?: number };
}

const mirror: Read<NonNullable<RouteDocument['mirror']>> = (at) => {
  const fraction = object<{ numerator: number; denominator?: number }>(
    { numerator: whole(0, 1_000_000), denominator: whole(1, 1_000_000) },
    ['numerator'],
  );
  const made = object<Mirror>({ backendRef: backend, percent: whole(0, 100), fraction }, ['backendRef'])(at);
  if (made === undefined) return undefined;
  const { backendRef, percent, fraction: part } = made;
  const share = part === undefined ? (percent ?? 100) : (part.numerator / (part.denominator ?? 100)) * 100;
  return { upstream: backendRef.upstream, percent: Math.min(100, share) };
};

interface ApiCors {
  allowOrigins?: string[];
  allowMethods?: string[];
  allowHeaders?: string[];
  exposeHeaders?: string[];
  allowCredentials?: boolean;
  maxAge?: number;
}

const cors: Read<NonNullable<RouteDocument['cors']>> = (at) => {
  const names = (what: string): Read<string[]> =>
    list(
      text(`${what}; "*" is not known here`, (value) => value !== '*' && isFieldName(value.toLowerCase())),
      64,
    );
  const made = object<ApiCors>(
    {
      allowOrigins: list(
        text('an origin such as https://shop.example, or "*"', (value) =>
          /^(\*|https?:\/\/[a-z0-9.\-[\]:]+)$/.test(value),
        ),
        64,
      ),
      allowMethods: names('a method'),
      allowHeaders: names('the name of a header field'),
      exposeHeaders: names('the name of a header field'),
      allowCredentials: flag,
      maxAge: whole(1, 86_400),
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  const lower = (given: string[] | undefined): string[] => (given ?? []).map((each) => each.toLowerCase());
  return {
    origins: made.allowOrigins ?? [],
    methods: made.allowMethods ?? [],
    headers: lower(made.allowHeaders),
    expose: lower(made.exposeHeaders),
    credentials: made.allowCredentials ?? false,
    maxAgeSeconds: made.maxAge ?? 5,
  };
};

interface PathChange {
  type: 'ReplaceFullPath' | 'ReplacePrefixMatch';
  replaceFullPath?: string;
  replacePrefixMatch?: string;
}

const absolute: Read<string> = text('a path without "$", "?" and "#"', (value) =>
  /^\/[^$?#\s]*$/.test(value),
);

const pathChange: Read<{ kind: 'full' | 'prefix'; value: string }> = (at) => {
  const made = object<PathChange>(
    {
      type: oneOf('ReplaceFullPath', 'ReplacePrefixMatch'),
      replaceFullPath: absolute,
      replacePrefixMatch: absolute,
    },
    ['type'],
  )(at);
  if (made === undefined) return undefined;
  const isFull = made.type === 'ReplaceFullPath';
  const [value, other] = isFull
    ? [made.replaceFullPath, made.replacePrefixMatch]
    : [made.replacePrefixMatch, made.replaceFullPath];
  if (value === undefined || other !== undefined)
    return at.problem(
      `expected "${isFull ? 'replaceFullPath' : 'replacePrefixMatch'}" and no other beside its type`,
    );
  return { kind: isFull ? 'full' : 'prefix', value };
};

const hostName: Read<string> = text('a host name', (value) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(value));

/** What filters of each type are read by, and what they mean for a route. */
interface Filter {
  type: string;
  requestHeaderModifier?: NonNullable<RouteDocument['request']>;
  responseHeaderModifier?: NonNullable<RouteDocument['response']>;
  requestMirror?: NonNullable<RouteDocument['mirror']>;
  requestRedirect?: {
    scheme?: 'http' | 'https';
    hostname?: string;
    port?: number;
    path?: { kind: 'full' | 'prefix'; value: string };
    statusCode?: number;
  };
  urlRewrite?: { hostname?: string; path?: { kind: 'full' | 'prefix'; value: string } };
  cors?: NonNullable<RouteDocument['cors']>;
}

const filterShape = {
  requestHeaderModifier: changes,
  responseHeaderModifier: changes,
  requestMirror: mirror,
  requestRedirect: object<NonNullable<Filter['requestRedirect']>>(
    {
      scheme: oneOf('http', 'https'),
      hostname: hostName,
      port: whole(1, 65_535),
      path: pathChange,
      statusCode: number(301, 308),
    },
    [],
  ),
  urlRewrite: object<NonNullable<Filter['urlRewrite']>>({ hostname: hostName, path: pathChange }, []),
  cors,
};

/** The key that goes with a type: `URLRewrite` and `urlRewrite`. */
function keyOf(type: string): string {
  if (type === 'CORS') return 'cors';
  return type === 'URLRewrite' ? 'urlRewrite' : type.slice(0, 1).toLowerCase() + type.slice(1);
}

const filter: Read<Filter> = (at) => {
  const type = text(
    'RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, RequestRedirect, URLRewrite or CORS',
    (value) => Object.hasOwn(filterShape, keyOf(value)),
  );
  const made = object<Filter>({ type, ...filterShape }, ['type'])(at);
  if (made === undefined) return undefined;
  const keys = Object.keys(made).filter((key) => key !== 'type');
  return keys.length === 1 && keys[0] === keyOf(made.type)
    ? made
    : at.problem(`expected "${keyOf(made.type)}" beside its type, and no other`);
};

/** Reads filters as keys of a route, each of which may be there once. */
export const filters: Read<RouteDocument> = (at) => {
  const made = list(filter, 16)(at);
  if (made === undefined) return undefined;
  const types = made.map(({ type }) => type);
  const twice = types.find((type, index) => types.indexOf(type) !== index);
  if (twice !== undefined) return at.problem(`the filter ${twice} is there twice`);
  const {
    requestHeaderModifier: request,
    responseHeaderModifier: response,
    requestMirror,
    ...others
  }: Partial<Filter> = Object.assign({}, ...made);
  const { requestRedirect, urlRewrite, cors: asked } = others;
  return {
    ...(request !== undefined && { request }),
    ...(response !== undefined && { response }),
    ...(requestMirror !== undefined && { mirror: requestMirror }),
    ...(asked !== undefined && { cors: asked }),
    ...(requestRedirect !== undefined && { redirect: redirectOf(requestRedirect) }),
    ...(urlRewrite?.hostname !== undefined && { forwardHost: urlRewrite.hostname }),
    ...(urlRewrite?.path?.kind === 'prefix' && { rewrite: urlRewrite.path.value }),
    ...(urlRewrite?.path?.kind === 'full' && {
      rewriteRegex: { pattern: '^.*$', to: urlRewrite.path.value },
    }),
  };
};

function redirectOf({
  scheme,
  hostname,
  port,
  path,
  statusCode = 302,
}: NonNullable<Filter['requestRedirect']>): NonNullable<RouteDocument['redirect']> {
  return {
    status: statusCode,
    ...(scheme !== undefined && { scheme }),
    ...(hostname !== undefined && { host: hostname }),
    ...(port !== undefined && { port }),
    ...(path?.kind === 'full' && { path: path.value }),
    ...(path?.kind === 'prefix' && { prefix: path.value }),
  };
}

/** Reads a duration of the API, such as `1h30m` or `500ms` (GEP-2257), in milliseconds. */
export const duration: Read<number> = (at) => {
  const given = text('a duration such as 10s, 1h30m or 500ms', (value) =>
    /^(\d{1,5}(h|m|s|ms)){1,4}$/.test(value),
  )(at);
  if (given === undefined) return undefined;
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  let total = 0;
  for (const [, count, unit = ''] of given.matchAll(/(\d+)(ms|h|m|s)/g))
    total += Number(count) * (units[unit] ?? 0);
  return total >= 1 && total <= 3_600_000 ? total : at.expected('a duration from 1ms to 1h');
};

/** Reads the host names of a route, for each of its matches. */
export const hostNames: Read<string[]> = list(
  text('a host name, or "*." and one', (value) => /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(value)),
  16,
);
