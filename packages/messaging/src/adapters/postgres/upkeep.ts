import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';
import { fromAttributes } from '../../message/cloud-event.ts';
import { appendRouted } from './append.ts';
import type { Attributes } from '../../message/cloud-event.ts';

// Any two numbers that nobody else takes: one process at a time does each of the two.
const dueLock = 'SELECT pg_try_advisory_xact_lock(7241, 1) AS mine';
const oldLock = 'SELECT pg_try_advisory_xact_lock(7241, 2) AS mine';
const nowMs = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';
const dueAtOnce = 500;
const oldAtOnce = 10_000;
const oldEveryMs = 60_000;

interface DueRow {
  readonly topic: string;
  readonly partition: number;
  readonly attributes: Attributes;
  readonly payload: Uint8Array;
}

/**
 * What has to be done to the tables from time to time, by whichever process comes first: delayed messages go to their
 * partitions when they are due, old ones are deleted.
 */
export class Upkeep {
  readonly #runtime: Runtime;
  readonly #pool: SqlPool;
  readonly #pollMs: number;
  readonly #onDue: (topic: string) => void;
  #due: Timer | undefined;
  #old: Timer | undefined;
  #working: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(runtime: Runtime, pool: SqlPool, pollMs: number, onDue: (topic: string) => void) {
    this.#runtime = runtime;
    this.#pool = pool;
    this.#pollMs = pollMs;
    this.#onDue = onDue;
  }

  start(): void {
    this.#dueAfter(0);
    this.#oldAfter(oldEveryMs * this.#runtime.random.float());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#due?.cancel();
    this.#old?.cancel();
    await this.#working;
  }

  #dueAfter(delayMs: number): void {
    if (this.#stopped) return;
    this.#due = this.#runtime.timers.after(delayMs, () => {
      this.#working = this.#moveDue();
    });
  }

  #oldAfter(delayMs: number): void {
    if (this.#stopped) return;
    this.#old = this.#runtime.timers.after(delayMs, () => {
      this.#working = this.#deleteOld();
    });
  }

  async #moveDue(): Promise<void> {
    let waitMs = this.#pollMs;
    try {
      const { topics, nextMs } = await this.#pool.transaction(moveDue);
      for (const topic of topics) this.#onDue(topic);
      waitMs = Math.min(waitMs, Math.max(0, nextMs));
    } catch (thrown) {
      this.#trouble(thrown);
    }
    this.#dueAfter(waitMs);
  }

  async #deleteOld(): Promise<void> {
    let deleted = 0;
    try {
      deleted = await this.#pool.transaction(deleteOld);
    } catch (thrown) {
      this.#trouble(thrown);
    }
    this.#oldAfter(deleted === oldAtOnce ? 0 : oldEveryMs);
  }

  #trouble(thrown: unknown): void {
    const { reason, message } = HeddleError.from(thrown);
    this.#runtime.log('debug', 'upkeep of the topics has to wait', { reason, error: message });
  }
}

async function moveDue(sql: Sql): Promise<{ readonly topics: ReadonlySet<string>; readonly nextMs: number }> {
  const later = { topics: new Set<string>(), nextMs: Number.POSITIVE_INFINITY };
  const [lock] = await sql.query<{ mine: boolean }>(dueLock);
  if (lock?.mine !== true) return later;
  const due = await sql.query<DueRow & { number: number }>(
    `DELETE FROM heddle_topic_delayed WHERE number IN (
       SELECT number FROM heddle_topic_delayed WHERE due_ms <= ${nowMs} ORDER BY due_ms, number LIMIT ${dueAtOnce}
     ) RETURNING number, topic, partition, attributes, payload`,
  );
  const inOrder = due.toSorted((a, b) => a.number - b.number);
  await appendRouted(
    sql,
    inOrder.map(({ topic, partition, attributes, payload }) => ({
      message: fromAttributes(topic, attributes, payload),
      partition,
    })),
  );
  const [next] = await sql.query<{ wait_ms: number | null }>(
    `SELECT min(due_ms) - ${nowMs} AS wait_ms FROM heddle_topic_delayed`,
  );
  return {
    topics: new Set(due.map(({ topic }) => topic)),
    nextMs: next?.wait_ms ?? Number.POSITIVE_INFINITY,
  };
}

/** Messages that are past their topic's retention and that every group has passed; groups and topics of the dead. */
async function deleteOld(sql: Sql): Promise<number> {
  const [lock] = await sql.query<{ mine: boolean }>(oldLock);
  if (lock?.mine !== true) return 0;
  await sql.execute(
    `DELETE FROM heddle_groups WHERE temporary AND NOT EXISTS (
       SELECT 1 FROM json_each_text(state->'members') AS member WHERE member.value::numeric > ${nowMs})`,
  );
  await sql.execute(
    `DELETE FROM heddle_topics AS topic WHERE name LIKE 'reply.%' AND made_at < now() - interval '1 minute'
       AND NOT EXISTS (SELECT 1 FROM heddle_groups WHERE heddle_groups.topic = topic.name)`,
  );
  await sql.execute(
    `DELETE FROM heddle_topic_messages AS message WHERE topic LIKE 'reply.%'
       AND NOT EXISTS (SELECT 1 FROM heddle_topics WHERE name = message.topic)`,
  );
  return sql.execute(
    `DELETE FROM heddle_topic_messages WHERE ctid IN (
       SELECT message.ctid FROM heddle_topic_messages AS message JOIN heddle_topics ON name = topic
         WHERE time_ms < ${nowMs} - retention_ms AND position < COALESCE(
           (SELECT min(next) FROM heddle_group_positions AS passed
              WHERE passed.topic = message.topic AND passed.partition = message.partition), 9223372036854775807)
         LIMIT ${oldAtOnce})`,
  );
}
