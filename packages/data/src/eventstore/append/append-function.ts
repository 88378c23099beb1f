import type { Migration } from '@heddle/sql';

/**
 * The function that appends: one call, one commit, an outcome for each append. Its statements are short and planned
 * once. Only indexes may be used: the plan is made while the tables are small, and kept while they grow.
 */
export const appendFunction: Migration = {
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
