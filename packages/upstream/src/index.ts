export { balance } from './balance.ts';
export { httpUpstream } from './http-upstream.ts';
export { InstanceGroup, type InstanceGroupOptions } from './instance-group.ts';
export type { Member, Upstream } from './member.ts';
