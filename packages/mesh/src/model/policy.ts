/** Texts of which one must match, and texts of which none may. Empty: no condition. Each may have `*` at one end. */
export interface Among {
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/** Who calls. All that are there must hold. */
export interface PolicySource {
  readonly principals?: Among;
  readonly requestPrincipals?: Among;
  readonly namespaces?: Among;
  /** `namespace/name`. */
  readonly serviceAccounts?: Among;
  readonly trustDomains?: Among;
  /** The peer's own address. */
  readonly ipBlocks?: Among;
  /** The address that trusted proxies say the request came from. */
  readonly remoteIpBlocks?: Among;
}

/** What is called. All that are there must hold. */
export interface PolicyOperation {
  readonly hosts?: Among;
  readonly ports?: Among;
  readonly methods?: Among;
  readonly paths?: Among;
}

/** A further condition: Istio's attribute `key` (`request.headers[x]`, `source.ip`, `request.auth.claims[a][b]` …). */
export interface PolicyCondition extends Among {
  readonly key: string;
}

/** Matches if one of `from`, one of `to` and all of `when` do; an empty list is no condition. */
export interface PolicyRule {
  readonly from: readonly PolicySource[];
  readonly to: readonly PolicyOperation[];
  readonly when: readonly PolicyCondition[];
}

/** An AuthorizationPolicy as it applies to a workload. Its rules are alternatives; with none it never matches. */
export interface MeshPolicy {
  /** `namespace/name`. */
  readonly name: string;
  readonly action: 'allow' | 'deny' | 'audit' | 'custom';
  /** Of `custom`: who is asked. */
  readonly provider?: string;
  /** Only told, never enforced. */
  readonly dryRun?: boolean;
  readonly rules: readonly PolicyRule[];
}

/** Where a token is looked for. */
export interface TokenPlace {
  readonly in: 'header' | 'query' | 'cookie';
  readonly name: string;
  /** Headers: what stands before the token. */
  readonly prefix: string;
}

/** A RequestAuthentication's rule: whose tokens are believed. A request without a token passes, one with a bad one does not. */
export interface JwtRule {
  readonly issuer: string;
  /** Empty: any. */
  readonly audiences: readonly string[];
  /** The key set itself; else where it is fetched. */
  readonly jwks?: string;
  readonly jwksUri?: string;
  /** Empty: `authorization: Bearer` and the query parameter `access_token`. */
  readonly from: readonly TokenPlace[];
  readonly forwardOriginalToken: boolean;
  readonly outputPayloadToHeader?: string;
  readonly claimsToHeaders: readonly { readonly header: string; readonly claim: string }[];
  /** Claims whose text is a list by blanks. `scope` and `permission` always are. */
  readonly spaceDelimitedClaims?: readonly string[];
}
