import type { Migration } from '@heddle/sql';

/**
 * Decisions and who may make them. A decision is inserted while the row of its coordinator is locked against deletion;
 * burying a coordinator deletes that row. So after the burial no decision of it can come.
 */
export const migrations: readonly Migration[] = [
  {
    id: '0001-decisions',
    sql: `
      CREATE TABLE heddle_tx_log (id text NOT NULL);
      INSERT INTO heddle_tx_log VALUES (substr(md5(gen_random_uuid()::text), 1, 8));
      CREATE TABLE heddle_tx_workers (
        worker text PRIMARY KEY,
        lives_until timestamptz NOT NULL
      );
      CREATE TABLE heddle_tx_decisions (
        tx text COLLATE "C" PRIMARY KEY,
        worker text NOT NULL,
        branches json NOT NULL,
        decided_at timestamptz NOT NULL DEFAULT now(),
        done_at timestamptz
      ) WITH (fillfactor = 70);
      CREATE INDEX heddle_tx_decisions_open ON heddle_tx_decisions (decided_at) WHERE done_at IS NULL;`,
  },
];
