// Policies x requests with the verdict that Istio's documentation gives. Data only: our engine and the configuration
// that is sent to other data planes are held to the same tables.

/** A request as a table writes it. What is left out is `usualRequest`'s. */
export interface CaseRequest {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Without `spiffe://`; `''`: plaintext. */
  readonly principal?: string;
  readonly sourceIp?: string;
  /** What the trusted proxies say; the source's own where it is left out. */
  readonly remoteIp?: string;
  readonly destinationIp?: string;
  readonly port?: number;
  readonly sni?: string;
  readonly token?: CaseToken;
  /** A port that is not HTTP: all that is HTTP's is not there. */
  readonly tcp?: true;
}

/** A token to make and send. It is good for an hour and signed by the issuer's key, unless said otherwise. */
export interface CaseToken {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly wrong?: 'signature' | 'expired' | 'garbled';
  /** Where it is sent. Default: `authorization: Bearer …`. */
  readonly in?: { readonly header: string; readonly prefix?: string } | { readonly query: string };
}

/** `unauthenticated`: a bad token, 401. `refused`: the connection itself. */
export type Expected = 'allow' | 'deny' | 'unauthenticated' | 'refused';

/** Some objects of Istio and what they make of requests to one workload. */
export interface CaseGroup {
  readonly name: string;
  /** The page of the documentation that says so. */
  readonly source: Source;
  /** YAML, as an operator writes it. `{jwks}` stands for the issuer's key set. */
  readonly resources: string;
  readonly workload: {
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly gateway?: string;
  };
  /** What providers of CUSTOM policies answer. */
  readonly answers?: Readonly<Record<string, boolean>>;
  readonly requests: readonly (readonly [request: CaseRequest, expected: Expected])[];
}

/** Pages of istio.io. */
export type Source =
  | 'reference/config/security/authorization-policy'
  | 'reference/config/security/conditions'
  | 'reference/config/security/peer_authentication'
  | 'reference/config/security/request_authentication'
  | 'reference/config/security/jwt'
  | 'concepts/security'
  | 'tasks/security/authorization/authz-http'
  | 'tasks/security/authorization/authz-tcp'
  | 'tasks/security/authorization/authz-jwt'
  | 'tasks/security/authorization/authz-deny'
  | 'tasks/security/authorization/authz-ingress'
  | 'tasks/security/authorization/authz-custom'
  | 'tasks/security/authorization/authz-dry-run'
  | 'tasks/security/authorization/authz-td-migration'
  | 'tasks/security/authentication/authn-policy'
  | 'ops/best-practices/security';

/** A call of `sleep` in `default` to `httpbin` in `foo`, by mTLS. */
export const usualRequest: Required<Omit<CaseRequest, 'remoteIp' | 'token' | 'tcp'>> = {
  method: 'GET',
  path: '/ip',
  host: 'httpbin.foo',
  headers: {},
  principal: 'cluster.local/ns/default/sa/sleep',
  sourceIp: '10.1.2.3',
  destinationIp: '10.9.0.7',
  port: 8080,
  sni: '',
};

/** The workload of most tables. */
export const httpbin: CaseGroup['workload'] = {
  namespace: 'foo',
  labels: { app: 'httpbin', version: 'v1' },
};

/** A service account's identity. */
export function account(namespace: string, name: string, domain = 'cluster.local'): string {
  return `${domain}/ns/${namespace}/sa/${name}`;
}

/** An AuthorizationPolicy of the namespace `foo`; `spec` in YAML's flow style. */
export function policy(spec: string, metadata = 'name: p, namespace: foo'): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {${metadata}}
spec: ${spec}
---
`;
}

/** One rule that allows. */
export function allow(rule: string): string {
  return policy(`{action: ALLOW, rules: [${rule}]}`, 'name: allow, namespace: foo');
}

/** One rule that denies. */
export function deny(rule: string): string {
  return policy(`{action: DENY, rules: [${rule}]}`, 'name: deny, namespace: foo');
}

/** A group about `httpbin`. */
export function group(
  name: string,
  source: Source,
  resources: string,
  requests: CaseGroup['requests'],
  more: Partial<Pick<CaseGroup, 'workload' | 'answers'>> = {},
): CaseGroup {
  return { name, source, resources, workload: httpbin, ...more, requests };
}
