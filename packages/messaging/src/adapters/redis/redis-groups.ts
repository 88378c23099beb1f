import { HeddleError } from '@heddle/kernel';
import type { Start } from '../../engine.ts';
import { emptyGroup, type GroupInput, type GroupState, stepGroup } from '../../group/group-state.ts';
import type { Holdings, MemberId } from '../../log/log-store.ts';
import type { RedisConnection } from './redis-connection.ts';
import { lookAtGroup, makeGroup, stepGroup as stepGroupScript } from './scripts.ts';

const mostTries = 50;

/**
 * One step of a group: looked at, computed here, and stored if nobody was faster; otherwise again. With `make`, a group
 * that is not there is made; without, nothing is done and nothing is held.
 */
export async function stepStored(
  redis: RedisConnection,
  id: MemberId,
  input: GroupInput,
  make?: { readonly start: Start; readonly temporary: boolean },
): Promise<Holdings> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const [partitions, nowMs, state, version] = (await redis.run(lookAtGroup, id.topic, [id.group])) as [
      string,
      number,
      string,
      string,
    ];
    if (state === '') {
      if (make === undefined) return { owned: [], surplus: [] };
      const empty = JSON.stringify(emptyGroup(Number(partitions)));
      await redis.run(makeGroup, id.topic, [id.group, empty, make.start, make.temporary ? 1 : 0]);
      continue;
    }
    const holdings = await store(redis, id, JSON.parse(state) as GroupState, version, input, nowMs);
    if (holdings !== undefined) return holdings;
  }
  const message = `group ${id.group} of topic ${id.topic} changes too fast to join`;
  throw new HeddleError({ code: 'unavailable', reason: 'GROUP_BUSY', message, sent: false });
}

async function store(
  redis: RedisConnection,
  id: MemberId,
  before: GroupState,
  version: string,
  input: GroupInput,
  nowMs: number,
): Promise<Holdings | undefined> {
  const { state, effects } = stepGroup(before, input, nowMs);
  const count = ({ members }: GroupState): number => Object.keys(members).length;
  const changed = input.kind !== 'renew' || count(before) !== count(state);
  const { owned, surplus, abandoned } = effects;
  const change = {
    abandoned,
    fresh: owned.filter(({ fresh }) => fresh).map(({ partition, epoch }) => [partition, epoch]),
    released: input.kind === 'release' ? [[input.partition, input.epoch]] : [],
    owned: owned.map(({ partition }) => partition),
  };
  const told = await redis.run(stepGroupScript, id.topic, [
    id.group,
    version,
    JSON.stringify(state),
    changed ? 1 : 0,
    count(state) === 0 ? 1 : 0,
    JSON.stringify(change),
  ]);
  if (!Array.isArray(told)) return undefined;
  const positions = told as readonly number[];
  return {
    surplus,
    owned: owned.map(({ partition, epoch }, at) => ({
      partition,
      epoch,
      next: positions[at * 2] ?? 1,
      abandoned: positions[at * 2 + 1] ?? 0,
    })),
  };
}
