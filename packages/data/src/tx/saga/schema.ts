import type { Migration } from '@heddle/sql';

/**
 * Sagas, who is at work on them, and what was said to them. A process lives while its row in `heddle_saga_workers` is
 * fresh: one row to renew, however many sagas it has. Taking one over moves its epoch, and whoever still writes with an
 * older epoch writes nothing.
 */
export const migrations: readonly Migration[] = [
  {
    id: '0001-sagas',
    sql: `
      CREATE TABLE heddle_saga_workers (
        worker text PRIMARY KEY,
        lives_until timestamptz NOT NULL
      );
      CREATE TABLE heddle_sagas (
        id text COLLATE "C" PRIMARY KEY,
        name text NOT NULL,
        version integer NOT NULL,
        status text NOT NULL,
        input json NOT NULL,
        state json NOT NULL,
        correlation_id text NOT NULL,
        worker text,
        epoch bigint NOT NULL DEFAULT 1,
        due_ms bigint,
        wanted boolean NOT NULL DEFAULT false,
        begun_at timestamptz NOT NULL DEFAULT now(),
        changed_at timestamptz NOT NULL DEFAULT now()
      ) WITH (fillfactor = 70);
      CREATE INDEX heddle_sagas_open ON heddle_sagas (name, version, due_ms)
        WHERE status IN ('running', 'compensating') OR wanted;
      CREATE INDEX heddle_sagas_status ON heddle_sagas (status, begun_at);
      CREATE TABLE heddle_saga_messages (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        saga text COLLATE "C" NOT NULL REFERENCES heddle_sagas ON DELETE CASCADE,
        input json NOT NULL,
        said_by text NOT NULL,
        said_at timestamptz NOT NULL DEFAULT now(),
        taken boolean NOT NULL DEFAULT false
      );
      CREATE INDEX heddle_saga_messages_new ON heddle_saga_messages (saga, number) WHERE NOT taken;`,
  },
];

/** The channel of wake-ups; the payload is the id of a saga that was spoken to, or that has ended. */
export const wakeChannel = 'heddle_sagas';
