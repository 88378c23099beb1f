export { jsonAnswer } from './answer/json-answer.ts';
export { Gateway, type GatewayOptions } from './gateway.ts';
export {
  type GatewayConfig,
  loadGatewayConfig,
  type QuarantinedRoute,
  readGatewayConfig,
} from './model/gateway-config.ts';
export { badConfig, type ConfigProblem } from './model/problem.ts';
export type { RouteConfig, RouteMatch } from './model/route.ts';
export { explain, type Explanation } from './router/explain.ts';
export { type NormalPath, normalPath } from './router/normal-path.ts';
