export { isJwtAlgorithm, type JwtAlgorithm, jwtAlgorithms } from './authn/algorithms.ts';
export { ApiKeys, type StoredApiKey } from './authn/api-keys.ts';
export { type PasswordHash, passwordHash } from './authn/passwords.ts';
export { BasicUsers, type StoredUser } from './authn/basic.ts';
export { at as claimAt, type ClaimRules } from './authn/claims.ts';
export {
  type CertificateRules,
  CertificateSubjects,
  isCertificateName,
  type KnownCertificate,
} from './authn/certificate-subjects.ts';
export { Introspection, type IntrospectionOptions } from './authn/introspection.ts';
export { type JwtIssuer, JwtVerifier } from './authn/jwt-verifier.ts';
export { readKeySet, secretKey, type VerifyKey } from './authn/key-set.ts';
export { fixedKeys, type KeySource, RemoteKeys, type RemoteKeysOptions } from './authn/remote-keys.ts';
export { Seals } from './authn/seals.ts';
export { verifySignature } from './authn/signature.ts';
export { type AccessRequest, type AccessRule, checkAccess } from './authz/access-rules.ts';
export { forbidden, type Identity, identity, unauthenticated } from './identity.ts';
export {
  identityOfSession,
  type LoginSession,
  type PendingLogin,
  readPending,
  readSession,
} from './oidc/login-session.ts';
export {
  type AskProvider,
  OidcClient,
  type OidcClientOptions,
  type ProviderQuestion,
} from './oidc/oidc-client.ts';
export { isSafeUrl } from './oidc/provider-metadata.ts';
export { Refreshes } from './oidc/refreshes.ts';
