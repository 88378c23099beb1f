export {
  type MeshScope,
  mutualTlsFor,
  policiesFor,
  type PolicySubject,
  tokenRulesFor,
} from './applying.ts';
export { authorization, type Authorization, type Verdict, type VerdictReason } from './authorization.ts';
export { type AskProvider, guard, type GuardOptions, normalPath, principalOf } from './guard.ts';
export { isPathTemplate, pathTemplateProblem } from './path-pattern.ts';
export type { AuthorizationRequest, HttpFacts, TokenClaims } from './request.ts';
export { isAddressBlock } from './ip-block.ts';
export { isCondition } from './attribute.ts';
