export type { LinkerdExport } from './linkerd.ts';
export { linkerdOf } from './linkerd-resources.ts';
export { type GraphCall, networkPolicies, type NetworkPolicies, permittedCalls } from './network-policy.ts';
