import type { Migration } from '@heddle/sql';

/** The function that appended before `appendFunction`. */
export const formerAppendFunction: Migration = {
  id: '0002-append',
  sql: `
    DROP FUNCTION heddle_append_events;
    CREATE FUNCTION heddle_append_events(
      p_stream text[], p_expected bigint[], p_size integer[],
      p_append integer[], p_number integer[],
      p_id text[], p_type text[], p_schema_version integer[], p_data text[], p_metadata text[]
    ) RETURNS TABLE (append integer, status text, version bigint, "position" bigint)
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_generic_plan
    AS $function$
    #variable_conflict use_column
    DECLARE
      first_position bigint;
      next_position bigint;
      actual bigint[];
      states text[];
      found_count bigint[];
      found_same boolean[];
      found_version bigint[];
      found_position bigint[];
      before bigint[] := array_fill(0::bigint, ARRAY[cardinality(p_stream)]);
      outcomes text[] := array_fill(''::text, ARRAY[cardinality(p_stream)]);
      outcome text;
      any_found boolean;
    BEGIN
      -- What follows is read after this lock is had: by it, every append sees all that committed before.
      SELECT log.next INTO first_position FROM heddle_event_log AS log FOR UPDATE;
      next_position := first_position;
      SELECT array_agg(COALESCE(stored.version, 0) ORDER BY ordinal), array_agg(COALESCE(stored.state, 'open') ORDER BY ordinal)
        INTO actual, states
        FROM unnest(p_stream) WITH ORDINALITY AS given (stream, ordinal)
        LEFT JOIN heddle_event_streams AS stored ON stored.stream = given.stream;
      any_found := EXISTS (SELECT FROM heddle_events WHERE id = ANY (p_id));
      IF any_found THEN
        SELECT array_agg(known.count ORDER BY ordinal), array_agg(known.same ORDER BY ordinal),
            array_agg(known.version ORDER BY ordinal), array_agg(known.position ORDER BY ordinal)
          INTO found_count, found_same, found_version, found_position
          FROM unnest(p_stream) WITH ORDINALITY AS appends (stream, ordinal), LATERAL (
            SELECT count(*) AS count, max(stored.version) AS version, max(stored.position) AS position,
                bool_and(stored.stream = appends.stream AND stored.type = given.type
                  AND stored.data::text = given.data) AS same
              FROM unnest(p_append, p_id, p_type, p_data) AS given (append, id, type, data)
              JOIN heddle_events AS stored ON stored.id = given.id
              WHERE given.append = appends.ordinal
          ) AS known;
      END IF;
      FOR at IN 1 .. cardinality(p_stream) LOOP
        outcome := CASE
          WHEN any_found AND found_count[at] = p_size[at] AND found_same[at] THEN 'repeated'
          WHEN any_found AND found_count[at] > 0 THEN 'id-taken'
          WHEN states[at] <> 'open' THEN states[at]
          WHEN p_expected[at] = -1 OR p_expected[at] = actual[at] OR (p_expected[at] = -2 AND actual[at] > 0)
            THEN 'appended'
          ELSE 'conflict'
        END;
        outcomes[at] := outcome;
        IF outcome = 'appended' THEN
          before[at] := next_position;
          next_position := next_position + p_size[at];
        END IF;
      END LOOP;
      IF next_position > first_position THEN
        UPDATE heddle_event_log SET next = next_position;
        INSERT INTO heddle_event_streams AS streams (stream, version)
          SELECT given.stream, actual[ordinal] + p_size[ordinal]
            FROM unnest(p_stream) WITH ORDINALITY AS given (stream, ordinal) WHERE outcomes[ordinal] = 'appended'
          ON CONFLICT (stream) DO UPDATE SET version = EXCLUDED.version;
        INSERT INTO heddle_events (position, stream, version, id, type, schema_version, data, metadata, at_ms)
          SELECT before[append] + number - 1, p_stream[append], actual[append] + number, given.id, given.type,
              given.schema_version, given.data::json, given.metadata::json,
              floor(extract(epoch FROM clock_timestamp()) * 1000)
            FROM unnest(p_append, p_number, p_id, p_type, p_schema_version, p_data, p_metadata)
              AS given (append, number, id, type, schema_version, data, metadata)
            WHERE outcomes[append] = 'appended';
      END IF;
      FOR at IN 1 .. cardinality(p_stream) LOOP
        append := at;
        status := outcomes[at];
        version := CASE status WHEN 'appended' THEN actual[at] + p_size[at]
          WHEN 'repeated' THEN found_version[at] ELSE actual[at] END;
        position := CASE status WHEN 'appended' THEN before[at] + p_size[at] - 1
          WHEN 'repeated' THEN found_position[at] END;
        RETURN NEXT;
      END LOOP;
    END
    $function$;`,
};

/**
 * The function that appends: one call, one commit, an outcome for each append. Its statements are short and planned
 * once. Only indexes may be used: the plan is made while the tables are small, and kept while they grow.
 *
 * Most appends are of one event, and what is few is quickest one by one: statements of one row, which a plan of one index
 * look-up serves, cost a third of joins over arrays. Only the events, which have five indexes, go into one statement.
 */
export const appendFunction: Migration = {
  id: '0003-append-by-rows',
  sql: `
    DROP FUNCTION heddle_append_events;
    CREATE FUNCTION heddle_append_events(
      p_stream text[], p_expected bigint[], p_size integer[],
      p_id text[], p_type text[], p_schema_version integer[], p_data text[], p_metadata text[]
    ) RETURNS TABLE (append integer, status text, version bigint, "position" bigint)
    LANGUAGE plpgsql
    SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
    AS $function$
    #variable_conflict use_column
    DECLARE
      total integer := cardinality(p_id);
      now_ms bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
      first_position bigint;
      next_position bigint;
      any_found boolean;
      found_count integer;
      found_same boolean;
      -- Of this append: its first event, how many it has, what it expects and what its stream comes to.
      first integer := 1;
      size integer;
      expected bigint;
      reached bigint;
      -- Of the single events, which are stored together in the end.
      singles integer := 0;
      single_at integer[] := '{}';
      single_stream text[] := '{}';
      single_version bigint[] := '{}';
      single_position bigint[] := '{}';
    BEGIN
      -- What follows is read after this lock is had: by it, every append sees all that committed before.
      UPDATE heddle_event_log AS log SET next = log.next + total RETURNING log.next - total INTO first_position;
      next_position := first_position;
      any_found := EXISTS (SELECT FROM heddle_events WHERE id = ANY (p_id));
      FOR at IN 1 .. cardinality(p_stream) LOOP
        size := p_size[at];
        expected := p_expected[at];
        append := at;
        position := NULL;
        found_count := 0;
        IF any_found THEN
          SELECT count(*), bool_and(stored.stream = p_stream[at] AND stored.type = p_type[ordinal]
                AND stored.data::text = p_data[ordinal]), max(stored.version), max(stored.position)
            INTO found_count, found_same, version, position
            FROM generate_series(first, first + size - 1) AS given (ordinal), LATERAL (
              SELECT * FROM heddle_events AS stored WHERE stored.id = p_id[ordinal] OFFSET 0
            ) AS stored;
        END IF;
        IF found_count = size AND found_same THEN
          status := 'repeated';
        ELSIF found_count > 0 THEN
          status := 'id-taken';
        ELSE
          reached := NULL;
          IF expected <> 0 THEN
            UPDATE heddle_event_streams AS known SET version = known.version + size
              WHERE known.stream = p_stream[at] AND known.state = 'open' AND (expected < 0 OR known.version = expected)
              RETURNING known.version INTO reached;
          END IF;
          IF reached IS NULL AND expected IN (0, -1) THEN
            INSERT INTO heddle_event_streams AS known (stream, version) VALUES (p_stream[at], size)
              ON CONFLICT DO NOTHING RETURNING known.version INTO reached;
          END IF;
          IF reached IS NULL THEN
            status := NULL;
            SELECT NULLIF(known.state, 'open'), known.version INTO status, version
              FROM heddle_event_streams AS known WHERE known.stream = p_stream[at];
            status := COALESCE(status, 'conflict');
            version := COALESCE(version, 0);
          ELSE
            status := 'appended';
            version := reached;
            IF total = 1 THEN
              INSERT INTO heddle_events (position, stream, version, id, type, schema_version, data, metadata, at_ms)
                VALUES (next_position, p_stream[1], reached, p_id[1], p_type[1], p_schema_version[1], p_data[1]::json,
                  p_metadata[1]::json, now_ms);
            ELSIF size = 1 THEN
              singles := singles + 1;
              single_at[singles] := first;
              single_stream[singles] := p_stream[at];
              single_version[singles] := reached;
              single_position[singles] := next_position;
            ELSE
              INSERT INTO heddle_events (position, stream, version, id, type, schema_version, data, metadata, at_ms)
                SELECT next_position + ordinal - first, p_stream[at], reached - size + 1 + ordinal - first, p_id[ordinal],
                    p_type[ordinal], p_schema_version[ordinal], p_data[ordinal]::json, p_metadata[ordinal]::json, now_ms
                  FROM generate_series(first, first + size - 1) AS given (ordinal);
            END IF;
            next_position := next_position + size;
            position := next_position - 1;
          END IF;
        END IF;
        first := first + size;
        RETURN NEXT;
      END LOOP;
      IF singles > 0 THEN
        INSERT INTO heddle_events (position, stream, version, id, type, schema_version, data, metadata, at_ms)
          SELECT given.position, given.stream, given.version, p_id[at], p_type[at], p_schema_version[at], p_data[at]::json,
              p_metadata[at]::json, now_ms
            FROM unnest(single_at, single_stream, single_version, single_position)
              AS given (at, stream, version, position);
      END IF;
      -- Positions have no gaps: what was not appended counts nothing.
      IF next_position < first_position + total THEN
        UPDATE heddle_event_log SET next = next_position;
      END IF;
    END
    $function$;`,
};
