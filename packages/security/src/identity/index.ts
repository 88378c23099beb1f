export { Authority, type AuthorityMaterial, makeRoot, type Wanted } from './authority.ts';
export { BootstrapTokens } from './bootstrap-tokens.ts';
export { makeRequest, type MadeRequest, requestedKey } from './certificate-request.ts';
export { CertificateService, type CertificateServiceOptions, type Svid } from './certificate-service.ts';
export type { JwtKey } from './jwt-key.ts';
export { checkJwtSvid, type JwtSvid, type JwtSvidRules, readAudience } from './jwt-svid.ts';
export { type AskForSvid, type HeldIdentity, KeptIdentity } from './kept-identity.ts';
export { type AskForJwt, KeptJwts } from './kept-jwts.ts';
export { readSpiffeId, type SpiffeId, spiffeUri } from './spiffe-id.ts';
export {
  checkWorkloadProof,
  isWorkloadProof,
  type ProvenRequest,
  workloadProof,
} from './workload-proof.ts';
