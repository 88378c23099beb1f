import { prepared, type SqlPool } from '@heddle/sql';
import type { EnginePromises, PartitionLag } from '../../engine.ts';
import type { Holdings, LogStore, MemberId, Stored } from '../../log/log-store.ts';
import { type Attributes, fromAttributes } from '../../message/cloud-event.ts';
import { maxPayloadBytes } from '../../message/complete-message.ts';
import type { Message } from '../../message/message.ts';
import { partitionOf } from '../../topic/partition-of.ts';
import { noTopic, topicDiffers } from '../../topic/topic-error.ts';
import type { TopicInfo } from '../../topic/topic.ts';
import { appendRouted, delayRouted, type Routed } from './append.ts';
import { renewMember, tellGroup } from './groups.ts';
import type { Wakes } from './wakes.ts';

interface TopicRow {
  readonly name: string;
  readonly partitions: number;
  readonly retention_ms: number;
}

interface MessageRow {
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly attributes: Attributes;
  readonly payload: Uint8Array;
}

interface LagRow {
  readonly partition: number;
  readonly behind: number;
  readonly owner: string | null;
}

// A position that a crash of the server takes back makes messages come again, which at least once allows: so it need not
// wait for the disk, and does not make those wait who publish. At most once does not allow it.
const commitPosition = prepared(
  `UPDATE heddle_group_positions SET next = $5, abandoned = 0
     FROM (SELECT set_config('synchronous_commit',
       CASE WHEN $6::boolean THEN current_setting('synchronous_commit') ELSE 'off' END, true)) AS patience
     WHERE topic = $1 AND name = $2 AND partition = $3 AND epoch = $4`,
);

const readPartition = prepared(
  `SELECT topic, partition, position, attributes, payload FROM heddle_topic_messages
     WHERE topic = $1 AND partition = $2 AND position >= $3 ORDER BY position LIMIT $4`,
);

/** Topics in tables. */
export class PostgresLog implements LogStore {
  readonly name = 'postgres';
  readonly promises: EnginePromises = {
    durable: 'power cut',
    delayed: true,
    replay: true,
    deduplicates: false,
    keepsUnread: true,
    maxPayloadBytes,
  };
  readonly readsToTheEnd = true;
  readonly #pool: SqlPool;
  readonly #wakes: Wakes;
  readonly #nowMs: () => number;
  readonly #onClose: () => Promise<void>;
  readonly #partitions = new Map<string, number>();

  constructor(pool: SqlPool, wakes: Wakes, nowMs: () => number, onClose: () => Promise<void>) {
    this.#pool = pool;
    this.#wakes = wakes;
    this.#nowMs = nowMs;
    this.#onClose = onClose;
  }

  async createTopic(info: TopicInfo): Promise<void> {
    const { name, partitions, retentionMs } = info;
    await this.#pool.transaction(async (sql) => {
      const made = await sql.execute(
        'INSERT INTO heddle_topics (name, partitions, retention_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        [name, partitions, retentionMs],
      );
      if (made > 0)
        await sql.execute(
          'INSERT INTO heddle_topic_partitions (topic, partition) SELECT $1, generate_series(0, $2 - 1)',
          [name, partitions],
        );
    });
    const known = await this.#topic(name);
    if (known.partitions !== partitions) throw topicDiffers(known, info);
  }

  async deleteTopic(name: string): Promise<boolean> {
    this.#partitions.delete(name);
    return this.#pool.transaction(async (sql) => {
      await sql.execute('DELETE FROM heddle_topic_messages WHERE topic = $1', [name]);
      return (await sql.execute('DELETE FROM heddle_topics WHERE name = $1', [name])) > 0;
    });
  }

  async topics(): Promise<readonly TopicInfo[]> {
    const rows = await this.#pool.query<TopicRow>(
      'SELECT name, partitions, retention_ms FROM heddle_topics ORDER BY name COLLATE "C"',
    );
    return rows.map(infoOf);
  }

  async append(messages: readonly Message[]): Promise<void> {
    const now: Routed[] = [];
    const later: Routed[] = [];
    for (const message of messages) {
      const partition = partitionOf(message, await this.#partitionsOf(message.topic));
      (message.deliverAtMs > this.#nowMs() ? later : now).push({ message, partition });
    }
    if (later.length === 0) await appendRouted(this.#pool, now);
    else
      await this.#pool.transaction(async (sql) => {
        await delayRouted(sql, later);
        await appendRouted(sql, now);
      });
    this.#tellOf(now);
  }

  async renew(id: MemberId, options: Parameters<LogStore['renew']>[1]): Promise<Holdings> {
    const { holdings, changed } = await renewMember(this.#pool, id, options);
    if (changed) this.#wakes.tell(groupWake(id.topic, id.group));
    return holdings;
  }

  async release(id: MemberId, partition: number, epoch: number): Promise<void> {
    await tellGroup(this.#pool, id, { kind: 'release', member: id.member, partition, epoch });
    this.#wakes.tell(groupWake(id.topic, id.group));
  }

  async leave(id: MemberId): Promise<void> {
    await tellGroup(this.#pool, id, { kind: 'leave', member: id.member });
    this.#wakes.tell(groupWake(id.topic, id.group));
  }

  async read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]> {
    const rows = await this.#pool.query<MessageRow>(readPartition, [topic, partition, from, max]);
    return rows.map(storedOf);
  }

  async commit(
    id: MemberId,
    partition: number,
    epoch: number,
    next: number,
    atMostOnce: boolean,
  ): Promise<boolean> {
    const values = [id.topic, id.group, partition, epoch, next, atMostOnce];
    const changed = await this.#pool.execute(commitPosition, values);
    return changed > 0;
  }

  onAppend(topic: string, listener: (partition?: number) => void): () => void {
    return this.#wakes.on(messageWake(topic), listener);
  }

  onMembers(topic: string, group: string, listener: () => void): () => void {
    return this.#wakes.on(groupWake(topic, group), listener);
  }

  async lag(topic: string, group: string): Promise<readonly PartitionLag[]> {
    await this.#topic(topic);
    const rows = await this.#pool.query<LagRow>(
      `SELECT counter.partition, (
           SELECT count(*) FROM heddle_topic_messages AS message
             WHERE message.topic = $1 AND message.partition = counter.partition
               AND message.position >= COALESCE(passed.next, 0)
         ) AS behind, groups.state->'claims'->counter.partition->>'owner' AS owner
         FROM heddle_topic_partitions AS counter
         LEFT JOIN heddle_groups AS groups ON groups.topic = $1 AND groups.name = $2
         LEFT JOIN heddle_group_positions AS passed
           ON passed.topic = $1 AND passed.name = $2 AND passed.partition = counter.partition
         WHERE counter.topic = $1 ORDER BY counter.partition`,
      [topic, group],
    );
    return rows.map(({ partition, behind, owner }) => ({ partition, behind, owner: owner ?? undefined }));
  }

  async browse(topic: string, limit: number): Promise<readonly Stored[]> {
    await this.#topic(topic);
    const rows = await this.#pool.query<MessageRow>(
      `SELECT topic, partition, position, attributes, payload FROM heddle_topic_messages
         WHERE topic = $1 ORDER BY time_ms, partition, position LIMIT $2`,
      [topic, limit],
    );
    return rows.map(storedOf);
  }

  async discard(topic: string, partition: number, offset: number): Promise<boolean> {
    const deleted = await this.#pool.execute(
      'DELETE FROM heddle_topic_messages WHERE topic = $1 AND partition = $2 AND position = $3',
      [topic, partition, offset],
    );
    return deleted > 0;
  }

  close(): Promise<void> {
    return this.#onClose();
  }

  /** Each partition once. */
  #tellOf(routed: readonly Routed[]): void {
    const told = new Map<string, Set<number>>();
    for (const { message, partition } of routed) {
      const partitions = told.get(message.topic) ?? new Set();
      if (partitions.has(partition)) continue;
      told.set(message.topic, partitions.add(partition));
      this.#wakes.tell(messageWake(message.topic), partition);
    }
  }

  async #partitionsOf(topic: string): Promise<number> {
    return this.#partitions.get(topic) ?? (await this.#topic(topic)).partitions;
  }

  async #topic(name: string): Promise<TopicInfo> {
    const [row] = await this.#pool.query<TopicRow>(
      'SELECT name, partitions, retention_ms FROM heddle_topics WHERE name = $1',
      [name],
    );
    if (row === undefined) throw noTopic(name);
    this.#partitions.set(name, row.partitions);
    return infoOf(row);
  }
}

function messageWake(topic: string): string {
  return `m ${topic}`;
}

function groupWake(topic: string, group: string): string {
  return `g ${topic} ${group}`;
}

function infoOf({ name, partitions, retention_ms: retentionMs }: TopicRow): TopicInfo {
  return { name, partitions, retentionMs };
}

function storedOf({ topic, partition, position, attributes, payload }: MessageRow): Stored {
  // A `Buffer` is a `Uint8Array` with other ideas about `slice`; what the application gets is the plain one.
  const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  return { message: fromAttributes(topic, attributes, bytes), partition, offset: position };
}
