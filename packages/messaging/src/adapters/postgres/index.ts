export { postgresEngine, type PostgresEngineOptions } from './postgres-engine.ts';
