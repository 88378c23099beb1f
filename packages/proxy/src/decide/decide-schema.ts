import { list, object, oneOf, type Read, text, whole } from '../model/document.ts';

/** An external decision point; the key `decisionPoint` of a gateway file. */
export interface DecisionPointConfig {
  /** Where OPA's REST API is: `http://host:8181`. */
  opa: string;
  /** The name under which the gateway is given the bearer token that OPA wants. */
  tokenEnv?: string;
  /** How long a decision may take. Default 500. */
  timeoutMs?: number;
  /** What holds while it cannot be asked, or answers nonsense. Default `closed`: nobody is let through. */
  onFailure?: 'closed' | 'open';
  /** How long a decision is good for the same question. Default 0: each request asks. */
  cacheMs?: number;
  /** Decisions remembered at most. Default 10000. */
  cacheEntries?: number;
}

/** What a route asks; its key `decide`. */
export interface RouteDecision {
  /** The document that decides, such as `gateway/allow` for `package gateway` and its rule `allow`. */
  policy: string;
  /** Header fields that the policy gets to see. Default none: what it does not need must not make questions differ. */
  headers?: string[];
}

const policy: Read<string> = text('the path of a policy document, such as gateway/allow', (value) =>
  /^[A-Za-z_][\w-]*(\/[A-Za-z_][\w-]*)*$/.test(value),
);
const field: Read<string> = text('the name of a header field, in lower case', (value) =>
  /^[a-z0-9-]{1,100}$/.test(value),
);

/** Reads the key `decisionPoint` of a gateway file. */
export const decisionPoint: Read<DecisionPointConfig> = object<DecisionPointConfig>(
  {
    opa: text('http:// or https://, host and port', isPlace),
    tokenEnv: text('the name of an environment variable', (value) => /^[A-Z][A-Z0-9_]*$/.test(value)),
    timeoutMs: whole(1, 60_000),
    onFailure: oneOf('closed', 'open'),
    cacheMs: whole(0, 3_600_000),
    cacheEntries: whole(1, 1_000_000),
  },
  ['opa'],
);

/** Reads the key `decide` of a route. */
export const routeDecision: Read<RouteDecision> = object<RouteDecision>(
  { policy, headers: list(field, 50) },
  ['policy'],
);

function isPlace(value: string): boolean {
  if (!URL.canParse(value) || !/^https?:\/\//.test(value)) return false;
  const { username, password, pathname, search, hash } = new URL(value);
  return username + password + search + hash === '' && pathname === '/';
}
