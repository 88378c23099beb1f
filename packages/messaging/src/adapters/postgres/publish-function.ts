import type { Migration } from '@heddle/sql';

/**
 * The function that publishes: one call, one commit, statements that are planned once. The counters are locked in the
 * order in which their partitions are given; if a topic is missing, nothing at all is done and the answer is false.
 */
export const publishFunction: Migration = {
  id: '0002-publish',
  sql: `
    CREATE FUNCTION heddle_publish(
      p_topic text[], p_partition integer[], p_count integer[],
      p_place integer[], p_number integer[], p_time_ms bigint[], p_attributes text[], p_payload bytea[]
    ) RETURNS boolean
    LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan
    AS $function$
    DECLARE
      first bigint[] := array_fill(0::bigint, ARRAY[cardinality(p_topic)]);
      counted bigint;
    BEGIN
      IF EXISTS (
        SELECT FROM unnest(p_topic) AS given (topic) WHERE NOT EXISTS (
          SELECT FROM heddle_topics AS known WHERE known.name = given.topic
        )
      ) THEN
        RETURN false;
      END IF;
      FOR at IN 1 .. cardinality(p_topic) LOOP
        UPDATE heddle_topic_partitions SET next = next + p_count[at]
          WHERE topic = p_topic[at] AND partition = p_partition[at] RETURNING next - p_count[at] INTO counted;
        IF NOT FOUND THEN
          -- The topic went while the counter was waited for.
          RAISE EXCEPTION 'there is no partition % of topic %', p_partition[at], p_topic[at]
            USING ERRCODE = 'serialization_failure';
        END IF;
        first[at] := counted;
      END LOOP;
      INSERT INTO heddle_topic_messages (topic, partition, position, time_ms, attributes, payload)
        SELECT p_topic[place], p_partition[place], first[place] + number - 1, time_ms, attributes::json, payload
          FROM unnest(p_place, p_number, p_time_ms, p_attributes, p_payload)
            AS given (place, number, time_ms, attributes, payload);
      RETURN true;
    END
    $function$;`,
};
