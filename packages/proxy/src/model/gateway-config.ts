import { parseTarget } from '@heddle/discovery';
import { HeddleError } from '@heddle/kernel';
import { normalPath, withoutSlash } from '../router/normal-path.ts';
import { DocumentReader, list, object, type Place, type Read, text, whole } from './document.ts';
import { badConfig } from './problem.ts';

/** Which requests go where. */
export interface RouteConfig {
  /** In metrics, logs and error messages. Default: the path. */
  readonly name: string;
  /** Matches this path and all below it, on segment borders: `/api` matches `/api` and `/api/x`, not `/apix`. */
  readonly path: string;
  /** Replaces the matched prefix in what is forwarded. Default: the path goes on as it came. */
  readonly rewrite: string | undefined;
  /** A target as `parseTarget` of discovery reads it: `discovery:///order`, `static:///10.0.0.1:80,10.0.0.2:80`. */
  readonly upstream: string;
  /** The whole exchange, from the request's first byte to the answer's last. Default 10000. */
  readonly timeoutMs: number;
  /** Attempts in all, for what may be repeated. Default 3; 1 switches retries off. */
  readonly attempts: number;
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
  readonly routes: readonly RouteConfig[];
}

type RouteDocument = Pick<RouteConfig, 'path' | 'upstream'> & {
  name?: string;
  rewrite?: string;
  timeoutMs?: number;
  attempts?: number;
};

interface GatewayDocument {
  listen?: { host?: string; port?: number };
  limits?: { maxRequests?: number; maxBodyBytes?: number };
  routes: RouteDocument[];
}

const maxDocumentLength = 1_048_576;
const mebibyte = 1_048_576;

const path: Read<string> = text(
  'a path that starts with "/" and is written as it will be matched',
  isPlainPath,
);

const route: Read<RouteDocument> = object<RouteDocument>(
  {
    name: text('1 to 100 characters', (value) => value.length > 0 && value.length <= 100),
    path,
    rewrite: path,
    upstream: target,
    timeoutMs: whole(1, 3_600_000),
    attempts: whole(1, 10),
  },
  ['path', 'upstream'],
);

const gateway: Read<GatewayDocument> = object<GatewayDocument>(
  {
    listen: object(
      { host: text('a host name or IP address', (value) => value !== ''), port: whole(0, 65_535) },
      [],
    ),
    limits: object({ maxRequests: whole(1, 1_000_000), maxBodyBytes: whole(0, 1024 * mebibyte) }, []),
    routes,
  },
  ['routes'],
);

/**
 * Reads a gateway file (YAML or JSON). `source` names it in messages. Throws `invalid_argument` / `BAD_CONFIG` with
 * every problem of the document, each with line and column; a document is taken whole or not at all.
 */
export function readGatewayConfig(content: string, source: string): GatewayConfig {
  if (content.length > maxDocumentLength) {
    const message = `expected at most ${maxDocumentLength} characters, found ${content.length}`;
    throw badConfig(source, [{ line: 1, column: 1, at: '', message }]);
  }
  const document = new DocumentReader(content);
  // A document that is not even YAML would only give consequential problems.
  const read = document.problems.length > 0 ? undefined : gateway(document.root);
  if (read === undefined || document.problems.length > 0) {
    throw badConfig(
      source,
      document.problems.toSorted((a, b) => a.line - b.line || a.column - b.column),
    );
  }
  return complete(read);
}

function complete({ listen, limits, routes: given }: GatewayDocument): GatewayConfig {
  return {
    listen: { host: listen?.host ?? '127.0.0.1', port: listen?.port ?? 8080 },
    limits: {
      maxRequests: limits?.maxRequests ?? 4096,
      maxBodyBytes: limits?.maxBodyBytes ?? 10 * mebibyte,
    },
    routes: given.map((each) => ({
      name: each.name ?? each.path,
      path: each.path,
      rewrite: each.rewrite,
      upstream: each.upstream,
      timeoutMs: each.timeoutMs ?? 10_000,
      attempts: each.attempts ?? 3,
    })),
  };
}

function routes(at: Place): RouteDocument[] | undefined {
  const seen = new Map<string, string>();
  const once: Read<RouteDocument> = (place) => {
    const value = route(place);
    if (value === undefined) return undefined;
    const key = withoutSlash(value.path);
    const first = seen.get(key);
    if (first !== undefined) return place.problem(`the path ${value.path} is that of ${first} already`);
    seen.set(key, place.path);
    return value;
  };
  return list(once, 1000)(at);
}

function target(at: Place): string | undefined {
  const value = text('a target such as "discovery:///order" or "static:///10.0.0.1:8080"')(at);
  if (value === undefined) return undefined;
  try {
    parseTarget(value);
    return value;
  } catch (thrown) {
    return at.problem(HeddleError.from(thrown).message);
  }
}

/** A route is written in the one form that requests are brought into before they are compared with it. */
function isPlainPath(value: string): boolean {
  const normal = normalPath(value);
  return normal.ok && normal.path === value && normal.query === '';
}
