export { type Migration, type MigrateOptions, type MigrationReport, migrate } from './migrate.ts';
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  embeddedPostgres,
} from './node/embedded-postgres.ts';
export { type SqlListener, sqlListener } from './node/listener.ts';
export { removeEmbeddedPostgres } from './node/server-folder.ts';
export { type EndedStatement, type SqlPoolOptions, sqlPool } from './node/pool.ts';
export { prepared } from './prepared.ts';
export { tracedSql } from './statement-span.ts';
export type { Sql, SqlPool, SqlPoolLoad, SqlValue, TransactionOptions } from './sql.ts';
export {
  isConnectionBroken,
  type SqlPhase,
  type SqlViolation,
  sqlError,
  sqlViolation,
  violationOf,
} from './sql-error.ts';
