export { type RedisPlace, RedisRateStore, type RedisRateStoreOptions } from './redis-rate-store.ts';
