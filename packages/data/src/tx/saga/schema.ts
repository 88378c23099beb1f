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
  {
    // A function, since its plan is kept: a batch is then stored in half the time. And the plan is always by the key:
    // one that was made while the table was small would read all of it for ever.
    id: '0002-write',
    sql: `
      CREATE FUNCTION heddle_write_sagas(
        by text, ids text[], names text[], versions integer[], statuses text[], inputs text[], states text[],
        correlations text[], kept boolean[], dues bigint[],
        changed_ids text[], changed_epochs bigint[], changed_statuses text[], changed_states text[],
        changed_kept boolean[], changed_dues bigint[], messages bigint[]
      ) RETURNS TABLE (stored text, is_new boolean) LANGUAGE plpgsql
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
      DECLARE saved text[];
      BEGIN
        IF cardinality(ids) > 0 THEN
          RETURN QUERY INSERT INTO heddle_sagas AS saga
              (id, name, version, status, input, state, correlation_id, worker, due_ms)
            SELECT g.id, g.name, g.version, g.status, g.input::json, g.state::json, g.correlation,
                CASE WHEN g.kept THEN by END, g.due
              FROM unnest(ids, names, versions, statuses, inputs, states, correlations, kept, dues)
                AS g (id, name, version, status, input, state, correlation, kept, due)
            ON CONFLICT (id) DO NOTHING RETURNING saga.id, true;
        END IF;
        IF cardinality(changed_ids) > 0 THEN
          WITH changed AS (
            UPDATE heddle_sagas AS saga SET status = g.status, state = g.state::json, due_ms = g.due,
                worker = CASE WHEN g.kept THEN saga.worker END, changed_at = now()
              FROM unnest(changed_ids, changed_epochs, changed_statuses, changed_states, changed_kept, changed_dues)
                AS g (id, epoch, status, state, kept, due)
              WHERE saga.id = g.id AND saga.epoch = g.epoch RETURNING saga.id
          ) SELECT array_agg(id) INTO saved FROM changed;
          IF cardinality(messages) > 0 THEN
            UPDATE heddle_saga_messages AS message SET taken = true
              WHERE message.saga = ANY (saved) AND message.number = ANY (messages);
          END IF;
          RETURN QUERY SELECT unnest(saved), false;
        END IF;
      END $$;`,
  },
  {
    // One that is at rest has a worker only while that looks at what was said to it: if that dies, another has to look.
    id: '0003-at-rest-and-spoken-to',
    sql: `
      DROP INDEX heddle_sagas_open;
      CREATE INDEX heddle_sagas_open ON heddle_sagas (name, version, due_ms)
        WHERE status IN ('running', 'compensating') OR wanted OR worker IS NOT NULL;`,
  },
];

/** The channel of wake-ups; the payload is the id of a saga that was spoken to, or that has ended. */
export const wakeChannel = 'heddle_sagas';
