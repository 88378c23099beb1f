export { jsonAnswer } from './answer/json-answer.ts';
export { Gateway, type GatewayOptions } from './gateway.ts';
export { type GatewayConfig, type RouteConfig, readGatewayConfig } from './model/gateway-config.ts';
export { badConfig, type ConfigProblem } from './model/problem.ts';
export { type NormalPath, normalPath } from './router/normal-path.ts';
