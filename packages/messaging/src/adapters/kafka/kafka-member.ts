import { HeddleError, type Runtime, sleep, type Timer } from '@heddle/kernel';
import {
  type Connection,
  type ConnectionPool,
  heartbeatV4,
  joinGroupV9,
  leaveGroupV5,
  syncGroupV5,
} from '@platformatic/kafka';
import type { Start } from '../../engine.ts';
import type { Holding, Holdings, MemberId } from '../../log/log-store.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { kafkaError, refusalOf } from './kafka-error.ts';
import { type Committed, committedOf, commitTo, offsetsOf } from './kafka-offsets.ts';
import { type Joined, type Share, shareOut } from './share-out.ts';

/** What a member is made from. */
export interface KafkaMemberOptions {
  readonly runtime: Runtime;
  readonly cluster: KafkaCluster;
  readonly id: MemberId;
  /** The names of its group and its topic in Kafka. */
  readonly group: string;
  readonly kafkaTopic: string;
  readonly start: Start;
  readonly leaseMs: number;
  /** The group is being shared out anew: this member is to renew. */
  readonly onChange: () => void;
}

interface Held {
  readonly epoch: number;
  next: number;
  abandoned: number;
}

const protocol = 'heddle';
// A commit that meets a group that is being shared out waits for the end of that.
const commitTries = 50;
const joinTries = 5;

/**
 * A member of a Kafka consumer group, by the classic protocol: Kafka says who the members are, the one that leads shares
 * the partitions out. Nobody stops working meanwhile: what must move is given back first, and then joined for again.
 * Who has a partition, and how often its consumers have died, is kept with the offset.
 */
export class KafkaMember {
  readonly #options: KafkaMemberOptions;
  /** Of its own: joining is answered when all others have joined. */
  readonly #pool: ConnectionPool;
  readonly #held = new Map<number, Held>();
  #surplus: readonly number[] = [];
  #memberId = '';
  #generation = -1;
  #stale = true;
  #epochs = 0;
  /** When that was said last which has kept us in the group. */
  #aliveMs = 0;
  #beat: Timer | undefined;
  #left = false;
  #working: Promise<unknown> = Promise.resolve();

  constructor(options: KafkaMemberOptions) {
    this.#options = options;
    // Whoever is slow to join is waited for, for a lease at most.
    this.#pool = options.cluster.pool(options.leaseMs + 10_000);
  }

  /** Says that it lives, joins where that is needed, and tells what it has. */
  renew(): Promise<Holdings> {
    return this.#alone(async () => {
      if (!this.#stale) await this.#heartbeat();
      for (let tries = 1; this.#stale; tries += 1)
        await this.#join().catch((thrown: unknown) => {
          // Others came meanwhile: all join again.
          if (tries === joinTries || !/REBALANCE|GENERATION|UNKNOWN_MEMBER/.test(refusalOf(thrown) ?? ''))
            throw thrown;
        });
      this.#beatLater();
      return { owned: this.#holdings(), surplus: this.#surplus, sinceMs: this.#aliveMs };
    });
  }

  /** Gives a partition back. */
  release(partition: number, epoch: number): Promise<void> {
    return this.#alone(async () => {
      const held = this.#held.get(partition);
      if (held?.epoch !== epoch) return;
      this.#held.delete(partition);
      this.#surplus = this.#surplus.filter((each) => each !== partition);
      // What has killed its consumers has still done so.
      const given = { next: held.next, holder: '', abandoned: held.abandoned };
      await this.#commitAs(new Map([[partition, given]])).catch(() => {});
      // Joining again says that it is free.
      this.#stale = true;
      this.#options.onChange();
    });
  }

  /** False if the partition has another owner by now. */
  async commit(partition: number, epoch: number, next: number): Promise<boolean> {
    const { runtime, cluster, leaseMs, group, id } = this.#options;
    for (let tries = 1; ; tries += 1) {
      const held = this.#held.get(partition);
      if (held?.epoch !== epoch) return false;
      try {
        await this.#commitAs(new Map([[partition, { next, holder: id.member, abandoned: 0 }]]));
        held.next = next;
        held.abandoned = 0;
        return true;
      } catch (thrown) {
        const refusal = refusalOf(thrown);
        if (refusal === undefined || tries === commitTries) {
          cluster.forgetGroup(group);
          throw kafkaError(thrown);
        }
        if (refusal === 'UNKNOWN_MEMBER_ID') this.#lost();
        else if (!/REBALANCE|GENERATION|COORDINATOR/.test(refusal)) throw kafkaError(thrown);
        this.#stale = true;
        if (/COORDINATOR/.test(refusal)) cluster.forgetGroup(group);
        this.#options.onChange();
        await sleep(runtime.timers, Math.min(100, leaseMs / commitTries));
      }
    }
  }

  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    this.#beat?.cancel();
    const { cluster, group } = this.#options;
    // What waits for the others to join is not waited for: they are told by our leaving.
    try {
      if (this.#memberId !== '') {
        const connection = await cluster.connection(await cluster.coordinator(group));
        await leaveGroupV5.api.async(connection, group, [{ memberId: this.#memberId }]);
      }
    } catch (thrown) {
      throw kafkaError(thrown);
    } finally {
      await cluster.closePool(this.#pool);
    }
  }

  #holdings(): readonly Holding[] {
    return [...this.#held].map(([partition, { epoch, next, abandoned }]) => ({
      partition,
      epoch,
      next,
      abandoned,
    }));
  }

  /** One after another: a step begins where the one before has ended. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working.then(work).catch((thrown: unknown) => {
      throw kafkaError(thrown);
    });
    this.#working = done.catch(() => {});
    return done;
  }

  async #connection(): Promise<Connection> {
    const { cluster, group } = this.#options;
    if (this.#left) throw gone(this.#options.id);
    return this.#pool.get(await cluster.coordinator(group));
  }

  async #heartbeat(): Promise<void> {
    const { group, cluster, runtime } = this.#options;
    const saidMs = runtime.clock.nowMs();
    try {
      await heartbeatV4.api.async(await this.#connection(), group, this.#generation, this.#memberId, null);
      this.#aliveMs = saidMs;
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      if (refusal === 'UNKNOWN_MEMBER_ID' || refusal === 'FENCED_INSTANCE_ID') this.#lost();
      else if (refusal !== 'REBALANCE_IN_PROGRESS' && refusal !== 'ILLEGAL_GENERATION') {
        cluster.forgetGroup(group);
        throw thrown;
      }
      this.#stale = true;
    }
  }

  /** More often than members renew: a change of the group is heard of by heartbeats alone. */
  #beatLater(): void {
    const { runtime, leaseMs } = this.#options;
    this.#beat?.cancel();
    if (this.#left) return;
    this.#beat = runtime.timers.after(leaseMs / 15, () => {
      const beaten = this.#alone(async () => {
        if (!this.#stale && !this.#left) await this.#heartbeat();
        if (this.#stale) this.#options.onChange();
      });
      // A server that cannot be reached is reported by the renewal.
      void beaten.catch(() => {}).finally(() => this.#beatLater());
    });
  }

  /** The group goes on without us: what we had is others'. */
  #lost(): void {
    this.#held.clear();
    this.#surplus = [];
    this.#memberId = '';
    this.#generation = -1;
  }

  async #join(): Promise<void> {
    const { kafkaTopic, cluster, id, group } = this.#options;
    this.#stale = false;
    try {
      const joined = await this.#joinOnce();
      this.#memberId = joined.memberId;
      this.#generation = joined.generationId;
      let shares: ReadonlyMap<string, Share> = new Map();
      if (joined.leader === joined.memberId) {
        const { leaders } = await cluster.topic(kafkaTopic, id.topic);
        shares = shareOut(joined.members.map(joinedOf), leaders.length);
      }
      await this.#accept(await this.#sync(shares));
    } catch (thrown) {
      this.#stale = true;
      const refusal = refusalOf(thrown);
      if (refusal === 'UNKNOWN_MEMBER_ID') this.#lost();
      if (refusal === undefined || /COORDINATOR/.test(refusal)) cluster.forgetGroup(group);
      throw thrown;
    }
  }

  async #joinOnce(): Promise<joinGroupV9.JoinGroupResponse> {
    const { group, leaseMs } = this.#options;
    const metadata = Buffer.from(JSON.stringify([...this.#held.keys()]));
    const join = async (memberId: string): Promise<joinGroupV9.JoinGroupResponse> =>
      joinGroupV9.api.async(
        await this.#connection(),
        group,
        leaseMs,
        // Less than a lease: those who wait for one that has died are not to lose what they have.
        leaseMs / 2,
        memberId,
        null,
        protocol,
        [{ name: protocol, metadata }],
        null,
      );
    try {
      return await join(this.#memberId);
    } catch (thrown) {
      if (refusalOf(thrown) !== 'MEMBER_ID_REQUIRED') throw thrown;
      // Kafka gives it a name first, so that one that never comes back is not counted.
      const { memberId } = (thrown as { readonly response?: joinGroupV9.JoinGroupResponse }).response ?? {};
      return join(memberId ?? '');
    }
  }

  async #sync(shares: ReadonlyMap<string, Share>): Promise<Share> {
    const { group, runtime } = this.#options;
    const saidMs = runtime.clock.nowMs();
    const assignments = [...shares].map(([memberId, share]) => ({
      memberId,
      assignment: Buffer.from(JSON.stringify(share)),
    }));
    const answer = await syncGroupV5.api.async(
      await this.#connection(),
      group,
      this.#generation,
      this.#memberId,
      null,
      protocol,
      protocol,
      assignments,
    );
    this.#aliveMs = saidMs;
    return shareOf(answer.assignment);
  }

  async #accept({ owned, surplus }: Share): Promise<void> {
    const fresh = owned.filter((partition) => !this.#held.has(partition));
    if (fresh.length > 0) await this.#take(fresh);
    for (const partition of this.#held.keys()) if (!owned.includes(partition)) this.#held.delete(partition);
    this.#surplus = surplus;
  }

  /** Where the group is on these, and that they are ours now. */
  async #take(partitions: readonly number[]): Promise<void> {
    const { cluster, group, kafkaTopic, id, start } = this.#options;
    const before = await committedOf(cluster, group, kafkaTopic, partitions);
    const [first, begin] = await Promise.all([
      offsetsOf(cluster, kafkaTopic, id.topic, 'earliest'),
      offsetsOf(cluster, kafkaTopic, id.topic, start),
    ]);
    const now = new Map<number, Committed>();
    for (const [at, partition] of partitions.entries()) {
      const { next = begin[partition] ?? 0, holder = '', abandoned = 0 } = before[at] ?? {};
      const silent = holder !== '' && holder !== id.member;
      now.set(partition, {
        // Retention may have gone past a group that was away for long.
        next: Math.max(next, first[partition] ?? 0),
        holder: id.member,
        abandoned: abandoned + (silent ? 1 : 0),
      });
    }
    await this.#commitAs(now);
    for (const [partition, { next = 0, abandoned }] of now) {
      this.#epochs += 1;
      this.#held.set(partition, { epoch: this.#epochs, next, abandoned });
    }
  }

  #commitAs(all: ReadonlyMap<number, Committed>): Promise<void> {
    const { cluster, group, kafkaTopic } = this.#options;
    const committer = { group, generation: this.#generation, memberId: this.#memberId };
    return commitTo(cluster, committer, kafkaTopic, all);
  }
}

function joinedOf({ memberId, metadata }: joinGroupV9.JoinGroupResponse['members'][number]): Joined {
  return { id: memberId, owned: JSON.parse(metadata.toString()) as readonly number[] };
}

/** What a member was given; nothing where there is no word of it. */
function shareOf(assignment: Buffer): Share {
  return assignment.length === 0 ? { owned: [], surplus: [] } : (JSON.parse(assignment.toString()) as Share);
}

function gone({ group }: MemberId): HeddleError {
  const message = `the member has left group ${group}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'LEFT', message, sent: false });
}
