export type { RedisPlace } from './redis-connection.ts';
export { redisEngine, type RedisEngineOptions } from './redis-engine.ts';
