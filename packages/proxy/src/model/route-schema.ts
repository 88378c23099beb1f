import type { AccessRule } from '@heddle/security';
import { type RouteAuth, routeAuth } from '../auth/auth-schema.ts';
import { type RouteDecision, routeDecision } from '../decide/decide-schema.ts';
import { type LimitConfig, limitConfigs } from '../limit/limit-schema.ts';
import { type ServedLimit, servedLimits } from '../limit/service/service-schema.ts';
import { isRetryWord, retryWords } from '../forward/retry-words.ts';
import { normalPath } from '../router/normal-path.ts';
import { isUpstreamName, targetText } from '../upstream/upstream-schema.ts';
import { flag, list, number, object, oneOf, type Read, record, type Shape, text, whole } from './document.ts';
import { zoneName } from './listen-schema.ts';
import { pattern } from './pattern.ts';
import type { Cors, FieldChanges, PathMatch, UpstreamProtocol, Variant, ValueMatch } from './route.ts';

const mebibyte = 1_048_576;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
const hostName = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$|^\[[0-9a-f:.]+\]$/;

/** A path as it is compared: in normal form, without query. */
export const plainPath: Read<string> = text(
  'a path that starts with "/" and is written as it will be matched',
  isPlainPath,
);

/** Reads a word for what is tried again. */
const retryWord: Read<string> = text(
  `one of ${[...retryWords].join(', ')}, or a status such as 503`,
  isRetryWord,
);

const template: Read<string> = text(
  'a path whose segments are plain or a {name}, such as /users/{id}',
  (value) => value.includes('{') && isPlainPath(value.replace(/\/\{[a-zA-Z][a-zA-Z0-9_]*\}(?=\/|$)/g, '/x')),
);

/** A regular expression of the engine that routes are matched by. */
export const regexText: Read<string> = (at) => {
  const value = text('a regular expression')(at);
  if (value === undefined) return undefined;
  const compiled = pattern(value);
  return typeof compiled === 'string' ? at.problem(`not a regular expression: ${compiled}`) : value;
};

/** A target that discovery can read, or the name of an upstream. */
export const target: Read<string> = (at) => {
  const value = at.isScalar ? at.plain : undefined;
  return typeof value === 'string' && isUpstreamName(value) ? value : targetText(at);
};

const fieldName: Read<string> = text('the name of a header field, in lower case', isFieldName);
const fieldValue: Read<string> = text('visible characters and blanks', (value) =>
  /^[\x20-\x7e]*$/.test(value),
);
const cookieName: Read<string> = text('the name of a cookie', (value) => token.test(value));
const method: Read<string> = text('a method, such as GET', (value) => /^[A-Z][A-Z-]{0,30}$/.test(value));
const host: Read<string> = text(
  'a host name in lower case without port, or "*." and one',
  (value) => value.length <= 253 && hostName.test(value),
);
const status: Read<number> = whole(200, 599);
const percent: Read<number> = number(0, 100);

/** Reads what exactly one key of an object says, among the given ones. */
function single<T>(read: Read<object>, make: (key: string, value: never) => T): Read<T> {
  return (at) => {
    const value = read(at);
    if (value === undefined) return undefined;
    const [first, ...others] = Object.entries(value);
    if (first === undefined || others.length > 0) return at.expected('exactly one of its keys');
    return make(first[0], first[1] as never);
  };
}

const path: Read<PathMatch> = (at) => {
  if (at.isScalar) {
    const value = plainPath(at);
    return value === undefined ? undefined : { kind: 'prefix', value };
  }
  const one = object({ exact: plainPath, prefix: plainPath, template, regex: regexText }, []) as Read<object>;
  return single<PathMatch>(one, (kind, value) => ({ kind: kind as PathMatch['kind'], value }))(at);
};

type Condition = Omit<ValueMatch, 'name'>;

const condition: Read<Condition> = (at) => {
  if (at.isScalar) {
    const value = fieldValue(at);
    return value === undefined ? undefined : { kind: 'exact', value };
  }
  const one = object(
    { exact: fieldValue, prefix: fieldValue, regex: regexText, present: flag },
    [],
  ) as Read<object>;
  return single<Condition>(one, (kind, value: unknown) =>
    kind === 'present'
      ? { kind: value === true ? 'present' : 'absent', value: '' }
      : { kind: kind as ValueMatch['kind'], value: value as string },
  )(at);
};

function conditions(what: string, name: (key: string) => boolean): Read<readonly ValueMatch[]> {
  const read = record(what, name, condition);
  return (at) => read(at)?.map(([key, value]) => ({ name: key, ...value }));
}

/** What the keys of a route say about fields. */
export interface FieldChangesDocument {
  remove?: string[];
  set?: readonly (readonly [string, string])[];
  add?: readonly (readonly [string, string])[];
}

const ownedByTheWire = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'host',
]);
const changeable: Read<string> = text(
  'the name of a header field in lower case that is not about the connection',
  isChangeable,
);
const changes: Read<FieldChangesDocument> = object<FieldChangesDocument>(
  {
    remove: list(changeable, 100),
    set: record('a header field in lower case that is not about the connection', isChangeable, fieldValue),
    add: record('a header field in lower case that is not about the connection', isChangeable, fieldValue),
  },
  [],
);

/** The document of a route, as read. */
export interface RouteDocument {
  name?: string;
  path?: PathMatch;
  host?: string[];
  method?: string[];
  headers?: readonly ValueMatch[];
  query?: readonly ValueMatch[];
  grpc?: { service: string; method?: string };
  source?: { subject?: string[]; zone?: string[] };
  upstream?: string;
  split?: { upstream: string; weight: number }[];
  variants?: Variant[];
  sticky?: { by: 'user' | 'header' | 'cookie'; name?: string };
  redirect?: {
    to?: string;
    scheme?: 'http' | 'https';
    host?: string;
    port?: number;
    path?: string;
    prefix?: string;
    status?: number;
  };
  respond?: { status: number; body?: string; contentType?: string };
  rateLimitService?: ServedLimit[];
  rewrite?: string;
  forwardHost?: string;
  rewriteRegex?: { pattern: string; to: string };
  request?: FieldChangesDocument;
  response?: FieldChangesDocument;
  cors?: Partial<Cors> & { origins: string[] };
  auth?: RouteAuth;
  access?: AccessDocument[];
  decide?: RouteDecision;
  rateLimit?: LimitConfig[];
  fault?: { delay?: { percent: number; ms: number }; abort?: { percent: number; status: number } };
  mirror?: { upstream: string; percent?: number };
  protocol?: UpstreamProtocol;
  webSocket?: boolean;
  grpcWeb?: boolean;
  transcode?: { descriptors: string; services?: string[]; alwaysAll?: boolean };
  compress?: { types?: string[]; minBytes?: number } | boolean;
  timeoutMs?: number;
  attempts?: number;
  retryOn?: string[];
  attemptTimeoutMs?: number;
  buffer?: boolean;
  maxBodyBytes?: number;
  maxResponseBytes?: number;
}

/** The keys that say which requests a route is for. */
export const matchShape: Pick<
  Shape<RouteDocument>,
  'path' | 'host' | 'method' | 'headers' | 'query' | 'grpc' | 'source'
> = {
  path,
  host: oneOrMore(host),
  method: oneOrMore(method),
  headers: conditions('the name of a header field, in lower case', isFieldName),
  query: conditions('the name of a query parameter', (key) => key !== ''),
  grpc: object<{ service: string; method?: string }>(
    {
      service: text('the full name of a service', (value) => /^[A-Za-z_][\w.]*$/.test(value)),
      method: text('the name of a method', (value) => /^[A-Za-z_]\w*$/.test(value)),
    },
    ['service'],
  ),
  source: object<{ subject?: string[]; zone?: string[] }>(
    {
      subject: oneOrMore(text('a text', (value) => value !== '' && value.length <= 256)),
      zone: oneOrMore(zoneName),
    },
    [],
  ),
};

/** A rule of a route's `access`. */
export type AccessDocument = Partial<{ -readonly [K in keyof AccessRule]: AccessRule[K] }> & {
  effect: AccessRule['effect'];
};

const words: Read<string[]> = list(
  text('a text', (value) => value !== '' && value.length <= 256),
  1000,
);
const access: Read<AccessDocument> = object<AccessDocument>(
  {
    effect: oneOf('allow', 'deny'),
    methods: list(method, 20),
    paths: list(plainPath, 1000),
    roles: words,
    scopes: words,
    subjects: words,
  },
  ['effect'],
);

const origin: Read<string> = text(
  'an origin such as https://shop.example, or "*"',
  (value) => value === '*' || /^https?:\/\/[a-z0-9.\-[\]:]+$/.test(value),
);

const compression: Read<NonNullable<RouteDocument['compress']>> = (at) =>
  at.isScalar
    ? flag(at)
    : object<{ types?: string[]; minBytes?: number }>(
        {
          types: list(
            text('a media type in lower case, such as text/* or application/json', (value) =>
              /^[a-z0-9.+-]+\/[a-z0-9.+*-]+$/.test(value),
            ),
            100,
          ),
          minBytes: whole(0, mebibyte),
        },
        [],
      )(at);

/** Reads one route; what two keys say together is checked by `routeOf`. */
export const routeDocument: Read<RouteDocument> = object<RouteDocument>(
  {
    name: text('1 to 100 characters', (value) => value.length > 0 && value.length <= 100),
    ...matchShape,
    upstream: target,
    split: list(object({ upstream: target, weight: whole(0, 1_000_000) }, ['upstream', 'weight']), 20),
    variants: list(
      object<Variant>(
        { from: oneOf('header', 'cookie'), name: cookieName, value: fieldValue, upstream: target },
        ['from', 'name', 'value', 'upstream'],
      ),
      20,
    ),
    sticky: object<{ by: 'user' | 'header' | 'cookie'; name?: string }>(
      { by: oneOf('user', 'header', 'cookie'), name: cookieName },
      ['by'],
    ),
    redirect: object<NonNullable<RouteDocument['redirect']>>(
      {
        scheme: oneOf('http', 'https'),
        host,
        port: whole(1, 65_535),
        path: plainPath,
        prefix: plainPath,
        to: text('a path, or http:// or https:// and more', (value) =>
          /^(https?:\/\/[\x21-\x7e]+|\/(?!\/)[\x21-\x7e]*)$/.test(value),
        ),
        status: whole(300, 308),
      },
      [],
    ),
    respond: object<{ status: number; body?: string; contentType?: string }>(
      { status, body: text('a text'), contentType: fieldValue },
      ['status'],
    ),
    rateLimitService: servedLimits,
    rewrite: plainPath,
    forwardHost: text(
      'pass, upstream, or a host name in lower case',
      (value) => value.length <= 253 && hostName.test(value) && !value.startsWith('*'),
    ),
    rewriteRegex: object<{ pattern: string; to: string }>({ pattern: regexText, to: fieldValue }, [
      'pattern',
      'to',
    ]),
    request: changes,
    response: changes,
    cors: object<Partial<Cors> & { origins: string[] }>(
      {
        origins: list(origin, 100),
        methods: list(method, 20),
        headers: list(fieldName, 100),
        expose: list(fieldName, 100),
        credentials: flag,
        maxAgeSeconds: whole(0, 86_400),
      },
      ['origins'],
    ),
    auth: routeAuth,
    access: list(access, 100),
    decide: routeDecision,
    rateLimit: limitConfigs,
    fault: object<NonNullable<RouteDocument['fault']>>(
      {
        delay: object({ percent, ms: whole(1, 600_000) }, ['percent', 'ms']),
        abort: object({ percent, status }, ['percent', 'status']),
      },
      [],
    ),
    mirror: object<{ upstream: string; percent?: number }>({ upstream: target, percent }, ['upstream']),
    protocol: oneOf('http1', 'h2c'),
    webSocket: flag,
    grpcWeb: flag,
    transcode: object<NonNullable<RouteDocument['transcode']>>(
      {
        descriptors: text('the name of a file with descriptors', (value) => value !== ''),
        services: list(
          text('the full name of a service', (value) => /^[A-Za-z_][\w.]*$/.test(value)),
          1000,
        ),
        alwaysAll: flag,
      },
      ['descriptors'],
    ),
    compress: compression,
    timeoutMs: whole(1, 3_600_000),
    attempts: whole(1, 10),
    retryOn: list(retryWord, 32),
    attemptTimeoutMs: whole(1, 3_600_000),
    buffer: flag,
    maxBodyBytes: whole(0, 1024 * mebibyte),
    maxResponseBytes: whole(0, 1024 * mebibyte),
  },
  [],
);

/** The changes with what is left out. */
export function changesOf(document: FieldChangesDocument | undefined): FieldChanges {
  return { remove: document?.remove ?? [], set: document?.set ?? [], add: document?.add ?? [] };
}

function oneOrMore<T>(item: Read<T>): Read<T[]> {
  return (at) => {
    if (!at.isScalar) return list(item, 100)(at);
    const value = item(at);
    return value === undefined ? undefined : [value];
  };
}

/** True for the name of a header field, in lower case. */
export function isFieldName(value: string): boolean {
  return token.test(value) && value === value.toLowerCase();
}

function isChangeable(value: string): boolean {
  return isFieldName(value) && !ownedByTheWire.has(value);
}

/** A route is written in the one form that requests are brought into before they are compared with it. */
function isPlainPath(value: string): boolean {
  const normal = normalPath(value);
  return normal.ok && normal.path === value && normal.query === '';
}
