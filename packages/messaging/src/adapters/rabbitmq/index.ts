export { rabbitEngine, type RabbitEngineOptions } from './rabbit-engine.ts';
export type { RabbitPlace } from './rabbit-connection.ts';
