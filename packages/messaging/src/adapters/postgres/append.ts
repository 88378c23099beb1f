import { prepared, type Sql } from '@heddle/sql';
import { toAttributes } from '../../message/cloud-event.ts';
import type { Message } from '../../message/message.ts';
import { noTopic } from '../../topic/topic-error.ts';

/** A message and the partition that it goes to. */
export interface Routed {
  readonly message: Message;
  readonly partition: number;
}

const publish = prepared('SELECT heddle_publish($1, $2, $3, $4, $5, $6, $7, $8) AS published');

const delay = `
  INSERT INTO heddle_topic_delayed (due_ms, topic, partition, time_ms, attributes, payload)
  SELECT due_ms, topic, partition, time_ms, attributes::json, payload
    FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::bytea[], $6::bigint[])
      WITH ORDINALITY AS given (topic, partition, time_ms, attributes, payload, due_ms, ordinal)
    ORDER BY ordinal`;

/** Puts messages at the end of their partitions, all or none. `NO_TOPIC`, and nothing done, if one has no topic. */
export async function appendRouted(sql: Sql, routed: readonly Routed[]): Promise<void> {
  if (routed.length === 0) return;
  const { places, at, numbers } = placesOf(routed);
  const [, , ...columns] = columnsOf(routed);
  const [row] = await sql.query<{ readonly published: boolean }>(publish, [
    places.map(({ topic }) => topic),
    places.map(({ partition }) => partition),
    places.map(({ count }) => count),
    at,
    numbers,
    ...columns,
  ]);
  if (row?.published !== true) throw noTopic([...new Set(places.map(({ topic }) => topic))].join(', '));
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  count: number;
}

/**
 * The partitions that are written to, in one order, so that two who write to several cannot wait for each other; and for
 * each message, from 1, which of them it goes to and the how-manieth there it is.
 */
function placesOf(routed: readonly Routed[]): {
  readonly places: readonly Place[];
  readonly at: readonly number[];
  readonly numbers: readonly number[];
} {
  const byName = new Map<string, Place>();
  const found = routed.map(({ message: { topic }, partition }) => {
    const name = `${topic} ${partition}`;
    const place = byName.get(name) ?? { topic, partition, count: 0 };
    if (place.count === 0) byName.set(name, place);
    place.count += 1;
    return { place, number: place.count };
  });
  const places = [...byName.values()].toSorted(
    (a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) || a.partition - b.partition,
  );
  const order = new Map(places.map((place, index) => [place, index + 1]));
  return {
    places,
    at: found.map(({ place }) => order.get(place) ?? 0),
    numbers: found.map(({ number }) => number),
  };
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
