import type { Sql, SqlPool } from '@heddle/sql';
import type { Start } from '../../engine.ts';
import {
  emptyGroup,
  type GroupEffects,
  type GroupInput,
  type GroupState,
  stepGroup,
} from '../../group/group-state.ts';
import type { Holdings, MemberId } from '../../log/log-store.ts';
import { noTopic } from '../../topic/topic-error.ts';

interface Locked {
  readonly state: GroupState;
  readonly now_ms: number;
}

interface PositionRow {
  readonly partition: number;
  readonly next: number;
  readonly abandoned: number;
}

/** What a step of a group came to. */
export interface GroupStep {
  readonly effects: GroupEffects;
  /** Somebody came, went or gave something back: the others have something to do. */
  readonly changed: boolean;
}

/** Says that the member lives, in a group that is made if there is none. */
export async function renewMember(
  pool: SqlPool,
  id: MemberId,
  options: { readonly start: Start; readonly leaseMs: number; readonly temporary: boolean },
): Promise<{ readonly holdings: Holdings; readonly changed: boolean }> {
  return pool.transaction(async (sql) => {
    const input: GroupInput = { kind: 'renew', member: id.member, leaseMs: options.leaseMs };
    let step = await stepStored(sql, id, input);
    if (step === undefined) {
      await makeGroup(sql, id, options);
      step = await stepStored(sql, id, input);
    }
    if (step === undefined) throw noTopic(id.topic);
    const { effects, changed } = step;
    const rows = await sql.query<PositionRow>(
      `SELECT partition, next, abandoned FROM heddle_group_positions
         WHERE topic = $1 AND name = $2 AND partition = ANY ($3::integer[])`,
      [id.topic, id.group, effects.owned.map(({ partition }) => partition)],
    );
    const positions = new Map(rows.map((row) => [row.partition, row]));
    const owned = effects.owned.map(({ partition, epoch }) => ({
      partition,
      epoch,
      next: positions.get(partition)?.next ?? 0,
      abandoned: positions.get(partition)?.abandoned ?? 0,
    }));
    return { holdings: { owned, surplus: effects.surplus }, changed };
  });
}

/** Gives one partition back, or leaves. A group that was temporary ends with its last member. */
export async function tellGroup(pool: SqlPool, id: MemberId, input: GroupInput): Promise<void> {
  await pool.transaction(async (sql) => {
    await stepStored(sql, id, input);
    if (input.kind === 'leave')
      await sql.execute(
        `DELETE FROM heddle_groups WHERE topic = $1 AND name = $2 AND temporary AND state->'members' #>> '{}' = '{}'`,
        [id.topic, id.group],
      );
  });
}

/** One step under the group's lock; undefined if there is no such group. */
async function stepStored(sql: Sql, id: MemberId, input: GroupInput): Promise<GroupStep | undefined> {
  const place = [id.topic, id.group];
  const [locked] = await sql.query<Locked>(
    `SELECT state, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
       FROM heddle_groups WHERE topic = $1 AND name = $2 FOR UPDATE`,
    place,
  );
  if (locked === undefined) return undefined;
  const { state, effects } = stepGroup(locked.state, input, locked.now_ms);
  await sql.execute('UPDATE heddle_groups SET state = $3 WHERE topic = $1 AND name = $2', [
    ...place,
    JSON.stringify(state),
  ]);
  if (input.kind === 'release')
    await sql.execute(
      `UPDATE heddle_group_positions SET abandoned = 0
         WHERE topic = $1 AND name = $2 AND partition = $3 AND epoch = $4`,
      [...place, input.partition, input.epoch],
    );
  await moveEpochs(sql, place, effects);
  const count = (group: GroupState): number => Object.keys(group.members).length;
  return { effects, changed: input.kind !== 'renew' || count(state) !== count(locked.state) };
}

async function moveEpochs(
  sql: Sql,
  place: readonly string[],
  { owned, abandoned }: GroupEffects,
): Promise<void> {
  if (abandoned.length > 0)
    await sql.execute(
      `UPDATE heddle_group_positions SET abandoned = abandoned + 1
         WHERE topic = $1 AND name = $2 AND partition = ANY ($3::integer[])`,
      [...place, abandoned],
    );
  const fresh = owned.filter((grant) => grant.fresh);
  if (fresh.length === 0) return;
  await sql.execute(
    `UPDATE heddle_group_positions AS position SET epoch = granted.epoch
       FROM unnest($3::integer[], $4::bigint[]) AS granted (partition, epoch)
       WHERE topic = $1 AND name = $2 AND position.partition = granted.partition`,
    [...place, fresh.map(({ partition }) => partition), fresh.map(({ epoch }) => epoch)],
  );
}

async function makeGroup(
  sql: Sql,
  { topic, group }: MemberId,
  { start, temporary }: { readonly start: Start; readonly temporary: boolean },
): Promise<void> {
  const counters = await sql.query<{ partition: number; next: number }>(
    'SELECT partition, next FROM heddle_topic_partitions WHERE topic = $1 ORDER BY partition',
    [topic],
  );
  if (counters.length === 0) throw noTopic(topic);
  const made = await sql.execute(
    `INSERT INTO heddle_groups (topic, name, temporary, state) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [topic, group, temporary, JSON.stringify(emptyGroup(counters.length))],
  );
  // Whoever was faster has also said where it begins.
  if (made === 0) return;
  await sql.execute(
    `INSERT INTO heddle_group_positions (topic, name, partition, next)
       SELECT $1, $2, * FROM unnest($3::integer[], $4::bigint[])`,
    [
      topic,
      group,
      counters.map(({ partition }) => partition),
      counters.map(({ next }) => (start === 'earliest' ? 0 : next)),
    ],
  );
}
