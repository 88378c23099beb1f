import type { AccessRule } from '@heddle/security';
import { usualTypes } from '../answer/compress.ts';
import type { Place } from './document.ts';
import type { Action, Compress, Cors, Rewrite, RouteConfig, RouteMatch, Sticky } from './route.ts';
import { type AccessDocument, changesOf, type RouteDocument } from './route-schema.ts';

/** Which requests a route is for. Undefined, and reported, where its keys do not go together. */
export function matchOf(at: Place, document: RouteDocument): RouteMatch | undefined {
  const { grpc, path, host = [], method = [], headers = [], query = [] } = document;
  if ((path === undefined) === (grpc === undefined)) return at.problem('expected either "path" or "grpc"');
  if (grpc === undefined) {
    const any = { kind: 'prefix', value: '/' } as const;
    return { hosts: host, path: path ?? any, methods: method, headers, query, ...sourceOf(document) };
  }
  const base = `/${grpc.service}`;
  // Byte for byte: what is not exactly /service/method reaches no handler, and must meet no other rule.
  const called: RouteMatch['path'] =
    grpc.method === undefined
      ? { kind: 'prefix', value: base }
      : { kind: 'exact', value: `${base}/${grpc.method}` };
  const isGrpc = { name: 'content-type', kind: 'prefix', value: 'application/grpc' } as const;
  return {
    hosts: host,
    path: called,
    methods: ['POST'],
    headers: [isGrpc, ...headers],
    query,
    ...sourceOf(document),
  };
}

function sourceOf({ source }: RouteDocument): Pick<RouteMatch, 'source'> {
  if (source === undefined) return {};
  return { source: { subjects: source.subject ?? [], zones: source.zone ?? [] } };
}

/** The route with all defaults. Undefined, and reported, where its keys do not go together. */
export function routeOf(
  at: Place,
  document: RouteDocument,
  match: RouteMatch | undefined,
): RouteConfig | undefined {
  const action = actionOf(at, document, match);
  if (match === undefined) return undefined;
  if ((match.source?.subjects.length ?? 0) > 0 && document.auth === undefined)
    return at.problem('"source.subject" needs "auth": who comes is known by a proof');
  const rewrite = rewriteOf(at, document, match);
  const { fault, mirror } = document;
  const cors = document.cors === undefined ? undefined : corsOf(at, document.cors);
  if (action === undefined) return undefined;
  if (
    action.kind !== 'forward' &&
    (rewrite !== undefined || mirror !== undefined || document.forwardHost !== undefined)
  )
    return at.problem('"rewrite", "forwardHost" and "mirror" need a route that forwards');
  const { webSocket = false, grpcWeb = false, transcode, protocol } = document;
  const speaks = grpcWeb || transcode !== undefined || document.grpc !== undefined ? 'h2c' : 'http1';
  if (
    action.kind !== 'forward' &&
    (webSocket || grpcWeb || transcode !== undefined || protocol !== undefined)
  )
    return at.problem('"webSocket", "grpcWeb", "transcode" and "protocol" need a route that forwards');
  if (document.buffer === true && (speaks === 'h2c' || webSocket))
    return at.problem('"buffer" waits for the end of a request, where gRPC and WebSocket talk to and fro');
  if (protocol === 'http1' && speaks === 'h2c')
    return at.problem('gRPC needs HTTP/2: "protocol" is h2c here, or left out');
  return {
    name: document.name ?? match.path.value,
    match,
    action,
    rewrite,
    forwardHost: document.forwardHost ?? 'pass',
    request: changesOf(document.request),
    response: changesOf(document.response),
    cors,
    auth: document.auth,
    access: (document.access ?? []).map(accessRule),
    decide: document.decide,
    limits: document.rateLimit ?? [],
    fault: fault === undefined ? undefined : { delay: fault.delay, abort: fault.abort },
    mirror: mirror === undefined ? undefined : { upstream: mirror.upstream, percent: mirror.percent ?? 100 },
    protocol: protocol ?? speaks,
    webSocket,
    grpcWeb,
    transcode:
      transcode === undefined
        ? undefined
        : {
            descriptors: transcode.descriptors,
            services: transcode.services ?? [],
            alwaysAll: transcode.alwaysAll ?? false,
          },
    compress: compressOf(document.compress),
    timeoutMs: document.timeoutMs ?? 10_000,
    attempts: document.attempts ?? 3,
    retryOn: document.retryOn,
    attemptTimeoutMs: document.attemptTimeoutMs,
    buffer: document.buffer,
    maxBodyBytes: document.maxBodyBytes,
    maxResponseBytes: document.maxResponseBytes,
  };
}

function compressOf(given: RouteDocument['compress']): Compress | undefined {
  if (given === undefined || given === false) return undefined;
  const { types = usualTypes, minBytes = 1024 } = given === true ? {} : given;
  return { types, minBytes };
}

function accessRule(given: AccessDocument): AccessRule {
  const { effect, methods = [], paths = [], roles = [], scopes = [], subjects = [] } = given;
  return { effect, methods, paths, roles, scopes, subjects };
}

function actionOf(at: Place, document: RouteDocument, match: RouteMatch | undefined): Action | undefined {
  const { upstream, split, redirect, respond, rateLimitService, variants = [] } = document;
  const given = [upstream, split, redirect, respond, rateLimitService].filter((each) => each !== undefined);
  if (given.length !== 1)
    return at.problem(
      `expected exactly one of "upstream", "split", "redirect", "respond", "rateLimitService", found ${given.length}`,
    );
  if (redirect !== undefined) return redirectOf(at, redirect, match);
  if (rateLimitService !== undefined) return { kind: 'rate-limit-service', limits: rateLimitService };
  if (respond !== undefined) {
    const { status, body = '', contentType = 'text/plain; charset=utf-8' } = respond;
    return { kind: 'respond', status, body, contentType };
  }
  const shares = split ?? [{ upstream: upstream ?? '', weight: 1 }];
  if (shares.every(({ weight }) => weight === 0)) return at.problem('expected a share with a weight above 0');
  return { kind: 'forward', shares, variants, sticky: stickyOf(at, document.sticky) };
}

function redirectOf(
  at: Place,
  redirect: NonNullable<RouteDocument['redirect']>,
  match: RouteMatch | undefined,
): Action | undefined {
  const { to, status = 302, scheme, host, port, path, prefix } = redirect;
  const parts = [scheme, host, port, path, prefix].filter((each) => each !== undefined);
  if ((to === undefined) === (parts.length === 0))
    return at.problem('redirect: expected either "to", or parts: "scheme", "host", "port", "path", "prefix"');
  if (to !== undefined) return { kind: 'redirect', status, to };
  if (path !== undefined && prefix !== undefined)
    return at.problem('redirect: expected at most one of "path", "prefix"');
  if (prefix !== undefined && match !== undefined && match.path.kind !== 'prefix')
    return at.problem('redirect: "prefix" replaces a prefix, and the route is for another kind of path');
  const value = path ?? prefix;
  const changed =
    value === undefined
      ? undefined
      : { kind: path === undefined ? ('prefix' as const) : ('full' as const), value };
  return { kind: 'redirect', status, to: { scheme, host, port, path: changed } };
}

function stickyOf(at: Place, sticky: RouteDocument['sticky']): Sticky | undefined {
  if (sticky === undefined) return undefined;
  if ((sticky.by === 'user') !== (sticky.name === undefined))
    return at.problem('"sticky.name" names the header or cookie, and is not for "user"');
  return { by: sticky.by, name: sticky.name ?? '' };
}

function rewriteOf(at: Place, document: RouteDocument, match: RouteMatch): Rewrite | undefined {
  const { rewrite, rewriteRegex } = document;
  if (rewrite !== undefined && rewriteRegex !== undefined)
    return at.problem('expected at most one of "rewrite", "rewriteRegex"');
  if (rewriteRegex !== undefined) return { kind: 'regex', ...rewriteRegex };
  if (rewrite === undefined) return undefined;
  if (match.path.kind !== 'prefix' && match.path.kind !== 'exact')
    return at.problem('"rewrite" replaces a prefix or an exact path; for others there is "rewriteRegex"');
  return { kind: 'prefix', to: rewrite };
}

function corsOf(at: Place, given: NonNullable<RouteDocument['cors']>): Cors | undefined {
  const { origins, methods, headers, expose, credentials = false, maxAgeSeconds = 600 } = given;
  const any = origins.includes('*');
  if (any && origins.length > 1) return at.problem('cors.origins: expected "*" alone, or origins');
  if (any && credentials) return at.problem('cors: "credentials" needs the origins by name');
  return {
    origins,
    methods: methods ?? ['GET', 'HEAD', 'POST'],
    headers: headers ?? [],
    expose: expose ?? [],
    credentials,
    maxAgeSeconds,
  };
}
