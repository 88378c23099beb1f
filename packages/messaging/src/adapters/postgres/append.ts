import type { Sql } from '@heddle/sql';
import { toAttributes } from '../../message/cloud-event.ts';
import type { Message } from '../../message/message.ts';
import { noTopic } from '../../topic/topic-error.ts';

/** A message and the partition that it goes to. */
export interface Routed {
  readonly message: Message;
  readonly partition: number;
}

// One statement, so one commit. The counters are locked in one order, so that two of these cannot wait for each other;
// if a topic is missing, nothing at all is done.
const appendMany = `
  WITH given AS (
    SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::bytea[])
      WITH ORDINALITY AS given (topic, partition, time_ms, attributes, payload, ordinal)
  ), wanted AS (
    SELECT topic, partition, count(*) AS count FROM given GROUP BY topic, partition
  ), locked AS (
    SELECT topic, partition, count FROM heddle_topic_partitions JOIN wanted USING (topic, partition)
      ORDER BY topic, partition FOR UPDATE OF heddle_topic_partitions
  ), counted AS (
    UPDATE heddle_topic_partitions AS counter SET next = counter.next + locked.count
      FROM locked
      WHERE counter.topic = locked.topic AND counter.partition = locked.partition
        AND (SELECT count(*) FROM locked) = (SELECT count(*) FROM wanted)
      RETURNING counter.topic, counter.partition, counter.next - locked.count AS first
  )
  INSERT INTO heddle_topic_messages (topic, partition, position, time_ms, attributes, payload)
  SELECT topic, partition, first + row_number() OVER (PARTITION BY topic, partition ORDER BY ordinal) - 1,
      time_ms, attributes::json, payload
    FROM given JOIN counted USING (topic, partition)`;

const appendOne = `
  WITH counted AS (
    UPDATE heddle_topic_partitions SET next = next + 1 WHERE topic = $1 AND partition = $2 RETURNING next - 1 AS position
  )
  INSERT INTO heddle_topic_messages (topic, partition, position, time_ms, attributes, payload)
  SELECT $1, $2, position, $3, $4, $5 FROM counted`;

const delay = `
  INSERT INTO heddle_topic_delayed (due_ms, topic, partition, time_ms, attributes, payload)
  SELECT due_ms, topic, partition, time_ms, attributes::json, payload
    FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::bytea[], $6::bigint[])
      WITH ORDINALITY AS given (topic, partition, time_ms, attributes, payload, due_ms, ordinal)
    ORDER BY ordinal`;

/** Puts messages at the end of their partitions, all or none. `NO_TOPIC`, and nothing done, if one has no topic. */
export async function appendRouted(sql: Sql, routed: readonly Routed[]): Promise<void> {
  const [only] = routed;
  if (only === undefined) return;
  const count =
    routed.length === 1
      ? await sql.execute(appendOne, rowOf(only))
      : await sql.execute(appendMany, columnsOf(routed));
  if (count === routed.length) return;
  throw noTopic([...new Set(routed.map(({ message }) => message.topic))].join(', '));
}

/** Keeps messages until they are due. */
export async function delayRouted(sql: Sql, routed: readonly Routed[]): Promise<void> {
  if (routed.length === 0) return;
  await sql.execute(delay, [...columnsOf(routed), routed.map(({ message }) => message.deliverAtMs)]);
}

type Row = [topic: string, partition: number, timeMs: number, attributes: string, payload: Uint8Array];

function rowOf({ message, partition }: Routed): Row {
  return [message.topic, partition, message.timeMs, JSON.stringify(toAttributes(message)), message.payload];
}

function columnsOf(routed: readonly Routed[]): [string[], number[], number[], string[], Uint8Array[]] {
  const columns: [string[], number[], number[], string[], Uint8Array[]] = [[], [], [], [], []];
  for (const each of routed) {
    const row = rowOf(each);
    columns[0].push(row[0]);
    columns[1].push(row[1]);
    columns[2].push(row[2]);
    columns[3].push(row[3]);
    columns[4].push(row[4]);
  }
  return columns;
}
