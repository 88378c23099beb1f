import type { Migration } from '@heddle/sql';
import { publishFunction } from './publish-function.ts';

/**
 * The tables of topics. A message's position is counted by its partition's row, which stays locked until the commit:
 * so positions are in the order of commits, a reader never passes one that commits late, and nothing waits for
 * transactions elsewhere in the server (a cursor over a sequence, with or without `xmin`, has one of the two faults).
 */
export const migrations: readonly Migration[] = [
  {
    id: '0001-topics',
    sql: `
      CREATE TABLE heddle_topics (
        name text PRIMARY KEY,
        partitions integer NOT NULL,
        retention_ms bigint NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE heddle_topic_partitions (
        topic text NOT NULL REFERENCES heddle_topics ON DELETE CASCADE,
        partition integer NOT NULL,
        next bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (topic, partition)
      ) WITH (fillfactor = 50);
      CREATE TABLE heddle_topic_messages (
        topic text NOT NULL,
        partition integer NOT NULL,
        position bigint NOT NULL,
        time_ms bigint NOT NULL,
        attributes json NOT NULL,
        payload bytea NOT NULL,
        PRIMARY KEY (topic, partition, position)
      );
      CREATE TABLE heddle_topic_delayed (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        due_ms bigint NOT NULL,
        topic text NOT NULL REFERENCES heddle_topics ON DELETE CASCADE,
        partition integer NOT NULL,
        time_ms bigint NOT NULL,
        attributes json NOT NULL,
        payload bytea NOT NULL
      );
      CREATE INDEX heddle_topic_delayed_due ON heddle_topic_delayed (due_ms, number);
      CREATE TABLE heddle_groups (
        topic text NOT NULL REFERENCES heddle_topics ON DELETE CASCADE,
        name text NOT NULL,
        temporary boolean NOT NULL,
        state json NOT NULL,
        PRIMARY KEY (topic, name)
      );
      CREATE TABLE heddle_group_positions (
        topic text NOT NULL,
        name text NOT NULL,
        partition integer NOT NULL,
        next bigint NOT NULL,
        epoch bigint NOT NULL DEFAULT 0,
        abandoned integer NOT NULL DEFAULT 0,
        PRIMARY KEY (topic, name, partition),
        FOREIGN KEY (topic, name) REFERENCES heddle_groups ON DELETE CASCADE
      ) WITH (fillfactor = 50);`,
  },
  publishFunction,
];

/** The channel of wake-ups: `m <topic>` for messages, `g <topic> <group>` for members. */
export const wakeChannel = 'heddle_messaging';
