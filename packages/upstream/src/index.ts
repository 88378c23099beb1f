export { balance } from './balance.ts';
export { httpUpstream } from './http-upstream.ts';
export { type GroupView, InstanceGroup, type InstanceGroupOptions } from './instance-group.ts';
export { policyByName, type PolicySurroundings } from './policy-by-name.ts';
export type { Held, Member, Upstream } from './member.ts';
