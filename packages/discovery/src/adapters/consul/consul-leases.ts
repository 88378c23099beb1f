import { HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { type Health, sameInstance } from '../../registry/instance.ts';
import type { LeaseClient } from '../../registry/lease-client.ts';
import { leaseLost, leaseSuperseded } from '../../registry/lease-error.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import { type ConsulCheck, checkBody, leaseCheck, leaseCheckId } from './consul-check.ts';
import type { ConsulClient } from './consul-client.ts';
import { type EntryMarks, entryOf, marksOf, serviceId } from './consul-entry.ts';

const removeTimeoutMs = 2000;
// An agent tells its servers at once, unless they have no leader.
const knownWithinMs = 2000;

/** How instances are registered. */
export interface ConsulLeaseOptions {
  readonly runtime: Runtime;
  readonly client: ConsulClient;
  readonly checks: readonly ConsulCheck[];
  readonly deregisterAfterMs: number;
}

/**
 * Leases in Consul: a TTL check of the entry, whose id is our own name of the lease. An agent that knows the check has
 * the entry from us: whoever takes the id registers with another check, and ours is gone.
 *
 * An agent tells the servers of an entry on its own time; here a registration is done when the servers know of it.
 */
export class ConsulLeases implements LeaseClient {
  readonly #options: ConsulLeaseOptions;
  readonly #client: ConsulClient;
  /** What this process has put, by lease. */
  readonly #put = new Map<string, LeasedInstance>();
  /** The last change of each entry that is on its way: the agent cannot compare and replace in one step. */
  readonly #turns = new Map<string, Promise<void>>();
  #puts = 0;

  constructor(options: ConsulLeaseOptions) {
    this.#options = options;
    this.#client = options.client;
  }

  put(leased: LeasedInstance, fresh: boolean): Promise<void> {
    return this.#inTurn(leased.instance.service, leased.instance.id, () => this.#replace(leased, fresh));
  }

  remove(service: string, id: string, lease: string): Promise<void> {
    return this.#inTurn(service, id, () => this.#takeAway(service, id, lease));
  }

  async #replace(leased: LeasedInstance, fresh: boolean): Promise<void> {
    const { instance, lease, ttlMs } = leased;
    const { clock } = this.#options.runtime;
    const { service, id } = instance;
    if (!fresh) {
      const holder = await this.#holderOf(service, id);
      if (holder !== undefined && holder !== lease) throw leaseSuperseded(service, id);
    }
    const stamped = { ...instance, lastHeartbeatMs: Math.max(0, Math.floor(clock.wallMs())) };
    const marks: EntryMarks = { lease, put: String(++this.#puts) };
    const own = this.#options.checks.map((check, at) => checkBody(check, instance, lease, at));
    const checks = [leaseCheck(lease, ttlMs, this.#options.deregisterAfterMs), ...own];
    await this.#client.ask({
      method: 'PUT',
      path: '/v1/agent/service/register',
      query: { 'replace-existing-checks': 'true' },
      json: entryOf(stamped, marks, checks),
    });
    // A check that was there already keeps its status, which may be that of a lease that had lapsed.
    if (this.#put.has(lease)) await this.#pass(service, id, lease);
    this.#put.set(lease, leased);
    await this.#untilKnown(service, (text) => {
      const seen = marksOf(serviceId(instance), text);
      return seen?.lease !== lease ? seen !== undefined : Number(seen.put) >= Number(marks.put);
    });
  }

  async renew(service: string, id: string, lease: string, health: Health | undefined): Promise<void> {
    const known = this.#put.get(lease);
    const stated = known && { ...known.instance, health: health ?? known.instance.health };
    if (known === undefined || stated === undefined || sameInstance(known.instance, stated))
      return this.#pass(service, id, lease);
    return this.put({ ...known, instance: stated }, false);
  }

  async #takeAway(service: string, id: string, lease: string): Promise<void> {
    this.#put.delete(lease);
    await this.#pass(service, id, lease, removeTimeoutMs);
    const own = serviceId({ service, id });
    const path = `/v1/agent/service/deregister/${encodeURIComponent(own)}`;
    await this.#client.ask({ method: 'PUT', path, timeoutMs: removeTimeoutMs });
    await this.#untilKnown(service, (text) => marksOf(own, text)?.lease !== lease);
  }

  async #inTurn(service: string, id: string, work: () => Promise<void>): Promise<void> {
    const key = serviceId({ service, id });
    const before = this.#turns.get(key);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#turns.set(key, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  /** Says that the lease goes on. Rejects with `LEASE_LOST` or `LEASE_SUPERSEDED`. */
  async #pass(service: string, id: string, lease: string, timeoutMs?: number): Promise<void> {
    const path = `/v1/agent/check/update/${encodeURIComponent(leaseCheckId(lease))}`;
    try {
      const json = { Status: 'passing' };
      await this.#client.ask({ method: 'PUT', path, json, ...(timeoutMs !== undefined && { timeoutMs }) });
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.reason !== 'NOT_FOUND') throw error;
      const holder = await this.#holderOf(service, id);
      throw holder === undefined || holder === lease ? leaseLost(service, id) : leaseSuperseded(service, id);
    }
  }

  /** Whose the entry with the agent is; undefined if there is none, empty if it is nobody's that we know. */
  async #holderOf(service: string, id: string): Promise<string | undefined> {
    const own = serviceId({ service, id });
    try {
      const { text } = await this.#client.ask({
        method: 'GET',
        path: `/v1/agent/service/${encodeURIComponent(own)}`,
      });
      const marks = marksOf(own, text);
      return marks && (marks.lease ?? '');
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.reason === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async #untilKnown(service: string, isKnown: (text: string) => boolean): Promise<void> {
    const { clock, timers } = this.#options.runtime;
    const endMs = clock.nowMs() + knownWithinMs;
    for (let pauseMs = 2; ; pauseMs = Math.min(100, 2 * pauseMs)) {
      const { text } = await this.#client.entries(service, { timeoutMs: knownWithinMs });
      if (isKnown(text)) return;
      if (clock.nowMs() > endMs) throw notKnown(service);
      await sleep(timers, pauseMs);
    }
  }
}

function notKnown(service: string): HeddleError {
  const message = `the agent has taken a change of "${service}", but Consul's servers do not know of it after ${knownWithinMs} ms`;
  return new HeddleError({ code: 'unavailable', reason: 'NOT_YET_KNOWN', message });
}
