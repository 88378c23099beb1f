import type { Migration } from '@heddle/sql';
import { appendFunction, formerAppendFunction } from './append/append-function.ts';

/**
 * The tables of the event store, and the function that appends. An append locks the one row of `heddle_event_log` until it
 * commits, and counts positions by it: so positions are in the order of commits, and a reader that has seen one has seen
 * all before it. (A sequence would be cheaper and wrong: whoever draws first may commit last, and is passed over.) What
 * that lock costs, `EventStore` wins back by appending what comes at one time together.
 */
export const migrations: readonly Migration[] = [
  {
    id: '0001-events',
    sql: `
      CREATE TABLE heddle_event_log (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), next bigint NOT NULL)
        WITH (fillfactor = 10);
      INSERT INTO heddle_event_log (next) VALUES (1);
      CREATE TABLE heddle_event_streams (
        stream text COLLATE "C" PRIMARY KEY,
        version bigint NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'archived', 'deleted'))
      ) WITH (fillfactor = 80);
      CREATE TABLE heddle_events (
        position bigint PRIMARY KEY,
        stream text COLLATE "C" NOT NULL,
        version bigint NOT NULL,
        id text COLLATE "C" NOT NULL UNIQUE,
        type text COLLATE "C" NOT NULL,
        schema_version integer NOT NULL,
        data json NOT NULL,
        metadata json NOT NULL,
        at_ms bigint NOT NULL,
        UNIQUE (stream, version)
      );
      CREATE INDEX heddle_events_type ON heddle_events (type, position);
      CREATE FUNCTION heddle_append_events(
        p_stream text[], p_expected bigint[],
        p_append integer[], p_id text[], p_type text[], p_schema_version integer[], p_data text[], p_metadata text[]
      ) RETURNS TABLE (append integer, status text, version bigint, "position" bigint)
      LANGUAGE plpgsql AS $function$
      #variable_conflict use_column
      DECLARE
        first_position bigint;
      BEGIN
        -- What follows is read after this lock is had: by it, every append sees all that committed before.
        SELECT log.next INTO first_position FROM heddle_event_log AS log FOR UPDATE;
        RETURN QUERY
        WITH appends AS (
          SELECT ordinal::integer AS append, stream, expected
            FROM unnest(p_stream, p_expected) WITH ORDINALITY AS given (stream, expected, ordinal)
        ), events AS (
          SELECT * FROM unnest(p_append, p_id, p_type, p_schema_version, p_data, p_metadata)
            WITH ORDINALITY AS given (append, id, type, schema_version, data, metadata, ordinal)
        ), sizes AS (
          SELECT append, count(*) AS size FROM events GROUP BY append
        ), known AS (
          SELECT events.append, count(*) AS count, max(stored.version) AS version, max(stored.position) AS position,
              bool_and(stored.stream = appends.stream AND stored.type = events.type
                AND stored.data::text = events.data) AS same
            FROM events JOIN appends USING (append) JOIN heddle_events AS stored USING (id) GROUP BY events.append
        ), judged AS (
          SELECT appends.append, appends.stream, sizes.size, COALESCE(streams.version, 0) AS actual,
              known.version AS known_version, known.position AS known_position,
              CASE
                WHEN known.count = sizes.size AND known.same THEN 'repeated'
                WHEN known.count > 0 THEN 'id-taken'
                WHEN streams.state <> 'open' THEN streams.state
                WHEN expected = -1 OR expected = COALESCE(streams.version, 0)
                  OR (expected = -2 AND streams.version > 0) THEN 'appended'
                ELSE 'conflict'
              END AS status
            FROM appends JOIN sizes USING (append)
            LEFT JOIN heddle_event_streams AS streams ON streams.stream = appends.stream
            LEFT JOIN known USING (append)
        ), accepted AS (
          SELECT append, stream, actual, size, sum(size) OVER (ORDER BY append) - size AS before
            FROM judged WHERE status = 'appended'
        ), counted AS (
          UPDATE heddle_event_log SET next = first_position + (SELECT sum(size) FROM accepted)
            WHERE EXISTS (SELECT 1 FROM accepted)
        ), versioned AS (
          INSERT INTO heddle_event_streams AS streams (stream, version)
            SELECT stream, actual + size FROM accepted
            ON CONFLICT (stream) DO UPDATE SET version = EXCLUDED.version
        ), stored AS (
          INSERT INTO heddle_events (position, stream, version, id, type, schema_version, data, metadata, at_ms)
            SELECT first_position + before + number - 1, stream, actual + number, id, type, schema_version,
                data::json, metadata::json, floor(extract(epoch FROM clock_timestamp()) * 1000)
              FROM accepted JOIN (
                SELECT *, row_number() OVER (PARTITION BY append ORDER BY ordinal) AS number FROM events
              ) AS numbered USING (append)
        )
        SELECT judged.append, judged.status,
            CASE status WHEN 'appended' THEN judged.actual + judged.size
              WHEN 'repeated' THEN known_version ELSE judged.actual END,
            CASE status WHEN 'appended' THEN (first_position + accepted.before + judged.size - 1)::bigint
              WHEN 'repeated' THEN known_position END
          FROM judged LEFT JOIN accepted USING (append);
      END
      $function$;
      CREATE TABLE heddle_event_snapshots (
        stream text COLLATE "C" PRIMARY KEY,
        schema text NOT NULL,
        version bigint NOT NULL,
        state json NOT NULL
      );
      CREATE TABLE heddle_event_checkpoints (
        subscription text NOT NULL,
        slice integer NOT NULL,
        position bigint NOT NULL,
        PRIMARY KEY (subscription, slice)
      ) WITH (fillfactor = 50);
      CREATE TABLE heddle_event_parked (
        subscription text NOT NULL,
        position bigint NOT NULL,
        error text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (subscription, position)
      );`,
  },
  formerAppendFunction,
  appendFunction,
];

/** The channel of wake-ups after appends. */
export const wakeChannel = 'heddle_events';
