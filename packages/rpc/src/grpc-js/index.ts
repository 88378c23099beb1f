export type { BalancerConfig } from './balancer-config.ts';
export { register, type RegisterOptions } from './register.ts';
