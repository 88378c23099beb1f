import type { AccessRule } from '@heddle/security';
import type { RouteAuth } from '../auth/auth-schema.ts';
import type { RouteDecision } from '../decide/decide-schema.ts';
import type { LimitConfig } from '../limit/limit-schema.ts';
import type { ServedLimit } from '../limit/service/service-schema.ts';

/** How a path is compared. */
export type PathMatch =
  | { readonly kind: 'exact'; readonly value: string }
  /** This path and all below it, on segment borders: `/api` matches `/api` and `/api/x`, not `/apix`. */
  | { readonly kind: 'prefix'; readonly value: string }
  /** `/users/{id}`: a name in braces stands for exactly one segment that is not empty. */
  | { readonly kind: 'template'; readonly value: string }
  /** The whole path, by a regular expression whose time is linear in the path's length (RE2's syntax). */
  | { readonly kind: 'regex'; readonly value: string };

/** A condition on a header or a query parameter. One that is repeated must hold for some of its values. */
export interface ValueMatch {
  /** Headers: in lower case. */
  readonly name: string;
  readonly kind: 'exact' | 'prefix' | 'regex' | 'present' | 'absent';
  /** Empty for `present` and `absent`. */
  readonly value: string;
}

/** Which requests a route is for: all of these must hold. */
export interface RouteMatch {
  /** `shop.example`, or `*.shop.example` for any name below it. Lower case, without port. Empty: any. */
  readonly hosts: readonly string[];
  readonly path: PathMatch;
  /** Case-sensitive. Empty: any. */
  readonly methods: readonly string[];
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
  /** Left out: whoever asks. */
  readonly source?: SourceMatch;
  /** Names of `servers`, and `listen` for what comes there. Left out: `listen` alone. */
  readonly servers?: readonly string[];
}

/** Who asks, and from where: both must hold. */
export interface SourceMatch {
  /** Of the proof that the route's `auth` demands; who shows none that is good is nobody of these. Empty: any. */
  readonly subjects: readonly string[];
  /** Names of `zones`. Empty: from anywhere. */
  readonly zones: readonly string[];
}

/** One of the ways that a route's traffic may go. */
export interface Share {
  /** A name of `upstreams`, or a target as `parseTarget` of discovery reads it: `discovery:///order`, `10.0.0.1:80`. */
  readonly upstream: string;
  /** Relative to the other shares; 0 gets nothing. */
  readonly weight: number;
}

/** Requests with this header or cookie go to that upstream, before any weights are asked. */
export interface Variant {
  readonly from: 'header' | 'cookie';
  readonly name: string;
  readonly value: string;
  readonly upstream: string;
}

/** What makes the choice between shares the same each time. */
export interface Sticky {
  /** `user`: the authenticated subject. */
  readonly by: 'user' | 'header' | 'cookie';
  /** Of the header or cookie; empty for `user`. */
  readonly name: string;
}

/** Where a redirect leads: a place, or the place that was asked for with some parts replaced. */
export type RedirectTo =
  | string
  | {
      readonly scheme: 'http' | 'https' | undefined;
      readonly host: string | undefined;
      readonly port: number | undefined;
      /** Instead of all of the path, or of the prefix that was matched. */
      readonly path: { readonly kind: 'full' | 'prefix'; readonly value: string } | undefined;
    };

/** What happens to a request that has been let in. */
export type Action =
  | {
      readonly kind: 'forward';
      readonly shares: readonly Share[];
      readonly variants: readonly Variant[];
      readonly sticky: Sticky | undefined;
    }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: RedirectTo }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly body: string;
      readonly contentType: string;
    }
  /** Envoys ask here whether requests are within these limits. */
  | { readonly kind: 'rate-limit-service'; readonly limits: readonly ServedLimit[] };

/** How the path is changed before it is sent on. */
export type Rewrite =
  | { readonly kind: 'prefix'; readonly to: string }
  | { readonly kind: 'regex'; readonly pattern: string; readonly to: string };

/** Changes to header fields, in this order: remove, set, add. */
export interface FieldChanges {
  readonly remove: readonly string[];
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
}

/** Who may read answers from pages of other origins (Fetch standard, "HTTP CORS protocol"). */
export interface Cors {
  /** Exact origins, or `*` for all; not both. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly expose: readonly string[];
  /** Not with `*`. */
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
}

/** Faults that are made on purpose, each for its percentage of the requests. */
export interface RouteFault {
  readonly delay: { readonly percent: number; readonly ms: number } | undefined;
  readonly abort: { readonly percent: number; readonly status: number } | undefined;
}

/** A copy of each request goes there too; its answer is thrown away. */
export interface Mirror {
  readonly upstream: string;
  readonly percent: number;
}

/** What is spoken to an upstream: HTTP/1.1, or HTTP/2 with prior knowledge, as gRPC needs it. */
export type UpstreamProtocol = 'http1' | 'h2c';

/** Which answers are compressed. */
export interface Compress {
  /** Media types; `*` stands for anything: `text/*`, `application/*+json`. */
  readonly types: readonly string[];
  /** Smaller ones are not, where the size is known. Default 1024. */
  readonly minBytes: number;
}

/** Serves a gRPC upstream as JSON over HTTP. */
export interface Transcode {
  /** The file with the descriptors, as the gateway is given files. */
  readonly descriptors: string;
  /** Full names; empty: all services in it that say how they are called. */
  readonly services: readonly string[];
  /** Write fields that are not set too. Default false. */
  readonly alwaysAll: boolean;
}

/** Which requests go where, and what happens to them on the way. */
export interface RouteConfig {
  /** In metrics, logs and error messages. Default: the path. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: Action;
  readonly rewrite: Rewrite | undefined;
  /** The host that the upstream is asked for: `pass` as it came (the default), `upstream` the instance's own, or a name. */
  readonly forwardHost: string;
  readonly request: FieldChanges;
  readonly response: FieldChanges;
  readonly cors: Cors | undefined;
  /** Undefined: anybody may come. */
  readonly auth: RouteAuth | undefined;
  /** Asked when it is known who comes. Empty: none. */
  readonly access: readonly AccessRule[];
  /** Undefined: the decision point is not asked. */
  readonly decide: RouteDecision | undefined;
  /** A request must be admitted by all. Empty: none. */
  readonly limits: readonly LimitConfig[];
  readonly fault: RouteFault | undefined;
  readonly mirror: Mirror | undefined;
  readonly protocol: UpstreamProtocol;
  /** Forward WebSockets. Default false. */
  readonly webSocket: boolean;
  /** Speak gRPC-Web to browsers before an upstream that speaks gRPC. Default false. */
  readonly grpcWeb: boolean;
  readonly transcode: Transcode | undefined;
  readonly compress: Compress | undefined;
  /** The whole exchange, from the request's first byte to the answer's last. Default 10000. */
  readonly timeoutMs: number;
  /** Attempts in all, for what may be repeated. Default 3; 1 switches retries off. */
  readonly attempts: number;
  /** What is tried again, in the words of `retryWords`; always only what may be repeated. Undefined: as `classifyAnswer` says. */
  readonly retryOn: readonly string[] | undefined;
  /** How long one attempt may take until its answer begins. Default: as long as there is time. */
  readonly attemptTimeoutMs: number | undefined;
  /** A request's body is read whole before it is sent on, or as it comes. Undefined: whole where it is small. */
  readonly buffer: boolean | undefined;
  /** Bytes of a request's body; larger ones get 413. Default: `limits.maxBodyBytes`. */
  readonly maxBodyBytes: number | undefined;
  /** Bytes of an answer's body; a larger one is 502, or breaks off where its size was not known. Default: any. */
  readonly maxResponseBytes: number | undefined;
}
