import {
  duration,
  type TargetRef,
  targetRef,
  texts,
  type WorkloadSelector,
  workloadSelector,
} from './terms.ts';
import { flag, list, map, object, oneOf, type Shape, text } from './shape.ts';

/** security.istio.io PeerAuthentication: whether a workload takes plaintext, mTLS or both. */
export interface PeerAuthenticationSpec {
  readonly selector?: WorkloadSelector;
  readonly mtls?: MutualTls;
  /** By port of the workload; only with a selector. */
  readonly portLevelMtls?: Readonly<Record<string, MutualTls>>;
}

/** What a port takes. */
export interface MutualTls {
  /** UNSET, also when nothing is written: what the next wider policy says. */
  readonly mode?: MutualTlsMode;
}

/** DISABLE: plaintext, PERMISSIVE: both, STRICT: mTLS only. */
export type MutualTlsMode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT';

/** security.istio.io RequestAuthentication: whose tokens are valid. A request without a token passes. */
export interface RequestAuthenticationSpec {
  readonly selector?: WorkloadSelector;
  readonly targetRefs?: readonly TargetRef[];
  readonly jwtRules?: readonly JwtRule[];
}

/** Tokens of one issuer: where they are, whose keys sign them, what is handed on. */
export interface JwtRule {
  readonly issuer?: string;
  readonly audiences?: readonly string[];
  readonly jwksUri?: string;
  readonly jwks?: string;
  readonly fromHeaders?: readonly JwtHeader[];
  readonly fromParams?: readonly string[];
  readonly fromCookies?: readonly string[];
  readonly outputPayloadToHeader?: string;
  readonly forwardOriginalToken?: boolean;
  readonly outputClaimToHeaders?: readonly ClaimToHeader[];
  readonly timeout?: string;
  readonly spaceDelimitedClaims?: readonly string[];
}

/** A header that holds a token after a prefix. */
export interface JwtHeader {
  readonly name: string;
  readonly prefix?: string;
}

/** A claim that is handed on as a header. */
export interface ClaimToHeader {
  readonly header: string;
  readonly claim: string;
}

/** security.istio.io AuthorizationPolicy: who may do what with some workloads. */
export interface AuthorizationPolicySpec {
  readonly selector?: WorkloadSelector;
  readonly targetRefs?: readonly TargetRef[];
  /** ALLOW where nothing is written. */
  readonly action?: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
  /** Who decides, with CUSTOM. */
  readonly provider?: { readonly name?: string };
  /** Any of them; none at all never matches. */
  readonly rules?: readonly AuthorizationRule[];
}

/** One source, one operation and all conditions must hold; a part that is not written always holds. */
export interface AuthorizationRule {
  readonly from?: readonly { readonly source?: AuthorizationSource }[];
  readonly to?: readonly { readonly operation?: AuthorizationOperation }[];
  readonly when?: readonly AuthorizationCondition[];
}

/** Who calls. All fields that are written must hold, of each any value; of a `not…` field none. */
export interface AuthorizationSource {
  readonly principals?: readonly string[];
  readonly notPrincipals?: readonly string[];
  readonly requestPrincipals?: readonly string[];
  readonly notRequestPrincipals?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly notNamespaces?: readonly string[];
  readonly serviceAccounts?: readonly string[];
  readonly notServiceAccounts?: readonly string[];
  readonly trustDomains?: readonly string[];
  readonly notTrustDomains?: readonly string[];
  readonly ipBlocks?: readonly string[];
  readonly notIpBlocks?: readonly string[];
  readonly remoteIpBlocks?: readonly string[];
  readonly notRemoteIpBlocks?: readonly string[];
}

/** What is done. All fields that are written must hold, of each any value; of a `not…` field none. */
export interface AuthorizationOperation {
  readonly hosts?: readonly string[];
  readonly notHosts?: readonly string[];
  readonly ports?: readonly string[];
  readonly notPorts?: readonly string[];
  readonly methods?: readonly string[];
  readonly notMethods?: readonly string[];
  readonly paths?: readonly string[];
  readonly notPaths?: readonly string[];
}

/** An attribute of the request that must have one of the values and none of `notValues`. */
export interface AuthorizationCondition {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

const mutualTls = object<MutualTls>({ mode: oneOf('UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT') });

/** The shape of a PeerAuthentication. */
export const peerAuthenticationSpec: Shape<PeerAuthenticationSpec> = object<PeerAuthenticationSpec>({
  selector: workloadSelector,
  mtls: mutualTls,
  portLevelMtls: map(mutualTls),
});

/** The shape of a RequestAuthentication. */
export const requestAuthenticationSpec: Shape<RequestAuthenticationSpec> = object<RequestAuthenticationSpec>({
  selector: workloadSelector,
  targetRefs: list(targetRef),
  jwtRules: list(
    object<JwtRule>({
      issuer: text(),
      audiences: texts,
      jwksUri: text(),
      jwks: text(),
      fromHeaders: list(object<JwtHeader>({ name: text(), prefix: text() }, ['name'])),
      fromParams: texts,
      fromCookies: texts,
      outputPayloadToHeader: text(),
      forwardOriginalToken: flag,
      outputClaimToHeaders: list(
        object<ClaimToHeader>({ header: text(), claim: text() }, ['header', 'claim']),
      ),
      timeout: duration,
      spaceDelimitedClaims: texts,
    }),
  ),
});

const source = object<AuthorizationSource>({
  principals: texts,
  notPrincipals: texts,
  requestPrincipals: texts,
  notRequestPrincipals: texts,
  namespaces: texts,
  notNamespaces: texts,
  serviceAccounts: texts,
  notServiceAccounts: texts,
  trustDomains: texts,
  notTrustDomains: texts,
  ipBlocks: texts,
  notIpBlocks: texts,
  remoteIpBlocks: texts,
  notRemoteIpBlocks: texts,
});

const operation = object<AuthorizationOperation>({
  hosts: texts,
  notHosts: texts,
  ports: texts,
  notPorts: texts,
  methods: texts,
  notMethods: texts,
  paths: texts,
  notPaths: texts,
});

const rule = object<AuthorizationRule>({
  from: list(object<NonNullable<AuthorizationRule['from']>[number]>({ source })),
  to: list(object<NonNullable<AuthorizationRule['to']>[number]>({ operation })),
  when: list(object<AuthorizationCondition>({ key: text(), values: texts, notValues: texts }, ['key'])),
});

/** The shape of an AuthorizationPolicy. */
export const authorizationPolicySpec: Shape<AuthorizationPolicySpec> = object<AuthorizationPolicySpec>({
  selector: workloadSelector,
  targetRefs: list(targetRef),
  action: oneOf('ALLOW', 'DENY', 'AUDIT', 'CUSTOM'),
  provider: object<NonNullable<AuthorizationPolicySpec['provider']>>({ name: text() }),
  rules: list(rule),
});
