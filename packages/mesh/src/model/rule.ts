import type { FieldChanges, RedirectTo } from '@heddle/proxy/model';
import type { RuleMatch, StringMatch } from './match.ts';

/** One of the ways that a rule's traffic may go. */
export interface ClusterShare {
  /** A cluster's name. */
  readonly cluster: string;
  /** Relative to the other shares; 0 gets nothing. */
  readonly weight: number;
  /** Beside those of the rule. */
  readonly request?: FieldChanges;
  readonly response?: FieldChanges;
}

/** What happens to a request. */
export type RuleAction =
  | { readonly kind: 'forward'; readonly shares: readonly ClusterShare[] }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: RedirectTo }
  | { readonly kind: 'respond'; readonly status: number; readonly body: string };

/** How the request is changed before it is sent on. */
export interface RuleRewrite {
  /** `prefix` replaces what the rule's path has matched, all of it for an exact path. */
  readonly path?:
    | { readonly kind: 'prefix'; readonly to: string }
    | { readonly kind: 'regex'; readonly pattern: string; readonly to: string };
  readonly authority?: string;
}

/** When a request is sent again. */
export interface RetryRules {
  /** Attempts after the first; 0 switches retries off. */
  readonly retries: number;
  readonly attemptTimeoutMs: number | undefined;
  /** Envoy's and gRPC's words (`5xx`, `connect-failure`, `unavailable` …) and HTTP statuses. */
  readonly on: readonly string[];
  readonly backoffMs: number | undefined;
  /** Also in farther localities. Default false. */
  readonly remoteLocalities?: boolean;
}

/** Faults made on purpose, each for its percentage of the requests, with as many decimals as it takes. */
export interface RuleFault {
  readonly delay?: { readonly percent: number; readonly ms: number };
  readonly abort?: { readonly percent: number } & (
    | { readonly status: number }
    | { readonly grpcStatus: number }
  );
}

/** A copy of a share of the requests goes there too; its answer is thrown away. */
export interface RuleMirror {
  readonly cluster: string;
  readonly percent: number;
}

/** Who may read answers from pages of other origins. */
export interface RuleCors {
  readonly origins: readonly StringMatch[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly expose: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeSeconds: number | undefined;
}

/** Which requests go where, and what happens to them on the way. */
export interface RouteRule {
  readonly name: string;
  /** Where it was written, for people: `VirtualService shop/order (order.yaml:12)`. */
  readonly origin: string;
  /** One of them must hold. Empty: every request. */
  readonly matches: readonly RuleMatch[];
  readonly action: RuleAction;
  readonly rewrite?: RuleRewrite;
  readonly request?: FieldChanges;
  readonly response?: FieldChanges;
  readonly cors?: RuleCors;
  /** The whole exchange. Left out: no limit. */
  readonly timeoutMs?: number;
  readonly retry?: RetryRules;
  readonly fault?: RuleFault;
  readonly mirrors?: readonly RuleMirror[];
}
