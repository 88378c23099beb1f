import { HeddleError } from '@heddle/kernel';
import { type Change, ChangeLog } from './change-log.ts';
import { type Health, type Instance, sameInstance } from './instance.ts';
import { leaseLost, leaseSuperseded } from './lease-error.ts';
import { LeaseQueue } from './lease-queue.ts';
import { type PreservationOptions, type PreservationTurn, SelfPreservation } from './self-preservation.ts';

/** Limits of a lease table. */
export interface LeaseTableOptions {
  /** How many changes a watcher may be behind before it needs a full snapshot. Default 10000. */
  readonly historyLength?: number;
  /** Registrations beyond this are refused with `REGISTRY_FULL`. Default 100000. */
  readonly maxInstances?: number;
  readonly preservation?: PreservationOptions;
}

/** An instance and the lease that keeps it here. */
export interface LeasedInstance {
  readonly instance: Instance;
  /** Identifies the holder: a registration of one process. */
  readonly lease: string;
  readonly ttlMs: number;
}

/** One that is in the table. `instance` is the same object from one change of it to the next. */
export interface HeldInstance extends LeasedInstance {
  /** When the lease was last renewed, on the wall clock; newer than the one in `instance`. */
  readonly lastHeartbeatMs: number;
}

interface Entry extends HeldInstance {
  instance: Instance;
  renewedAtMs: number;
  lastHeartbeatMs: number;
}

/** What can happen to a lease table. `wallMs` is only noted for people, as `lastHeartbeatMs`. */
export type LeaseInput =
  | {
      readonly kind: 'register';
      readonly instance: Instance;
      readonly lease: string;
      /** 1000 to 3600000. */
      readonly ttlMs: number;
      /** True when a process states this for the first time: it takes the id from whoever has it. */
      readonly fresh: boolean;
      readonly wallMs: number;
    }
  | {
      readonly kind: 'renew';
      readonly service: string;
      readonly id: string;
      readonly lease: string;
      readonly health: Health | undefined;
      readonly wallMs: number;
    }
  | {
      readonly kind: 'deregister';
      readonly service: string;
      readonly id: string;
      /** Undefined: whoever holds it (an operator's wish). */
      readonly lease: string | undefined;
    }
  | { readonly kind: 'expire' };

/** What the owner of the table must do. `granted` or `refused` answers each input but `expire`, and comes last. */
export type LeaseEffect =
  /** Keep it on disk (`leased` is undefined for a removal), and tell the watchers. */
  | { readonly kind: 'changed'; readonly change: Change; readonly leased: LeasedInstance | undefined }
  | { readonly kind: 'granted' }
  | { readonly kind: 'refused'; readonly error: HeddleError }
  | PreservationTurn;

/**
 * Which instances are registered and until when. Changed only by `step`, in place: copying a fleet's worth of entries
 * for each heartbeat would make time grow with the square of the fleet. So a table that was given to `step` is used
 * up, and the one that it returns takes its place.
 */
export interface LeaseTable {
  /** The revision of the last change; 0 before the first. */
  readonly revision: number;
  /** How many instances there are. */
  readonly size: number;
  /** True while nothing is evicted because too much has lapsed at once. */
  readonly preserving: boolean;
  /** Names of the services with instances, sorted. */
  services(): string[];
  /** A service's instances with their leases, sorted by id. */
  held(service: string): HeldInstance[];
  /** See `ChangeLog.since`. */
  changesSince(service: string, revision: number): readonly Change[] | undefined;
}

/** What a table starts with: nothing, or what was read from disk. */
export interface LeaseTableContent {
  readonly revision: number;
  readonly leased: readonly LeasedInstance[];
}

/** Makes a table. What it starts with gets a full TTL from `nowMs` on, so that its holders have time to come back. */
export function leaseTable(
  options: LeaseTableOptions = {},
  content: LeaseTableContent = { revision: 0, leased: [] },
  nowMs = 0,
): LeaseTable {
  return new Table(options, content, nowMs);
}

/**
 * The one way in which a table changes. Pure but for using `table` up: no clock, no chance, no I/O. `nowMs` is
 * monotonic and never less than before. Neither throws nor forgets: what it will not do, it refuses in an effect.
 */
export function step(
  table: LeaseTable,
  input: LeaseInput,
  nowMs: number,
): { readonly state: LeaseTable; readonly effects: readonly LeaseEffect[] } {
  return { state: table, effects: (table as Table).apply(input, nowMs) };
}

const granted: LeaseEffect = { kind: 'granted' };
const shortestTtlMs = 1000;
const longestTtlMs = 3_600_000;

class Table implements LeaseTable {
  readonly #services = new Map<string, Map<string, Entry>>();
  readonly #queue = new LeaseQueue<Entry>();
  readonly #log: ChangeLog;
  readonly #preservation: SelfPreservation;
  readonly #maxInstances: number;
  #revision: number;
  #size = 0;

  constructor(options: LeaseTableOptions, content: LeaseTableContent, nowMs: number) {
    this.#log = new ChangeLog(options.historyLength ?? 10_000, content.revision);
    this.#preservation = new SelfPreservation(options.preservation);
    this.#maxInstances = options.maxInstances ?? 100_000;
    this.#revision = content.revision;
    for (const leased of content.leased) {
      const { lastHeartbeatMs } = leased.instance;
      this.#hold({ ...leased, renewedAtMs: nowMs, lastHeartbeatMs }, nowMs);
    }
  }

  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#size;
  }

  get preserving(): boolean {
    return this.#preservation.active;
  }

  services(): string[] {
    return [...this.#services.keys()].toSorted();
  }

  held(service: string): HeldInstance[] {
    const entries = [...(this.#services.get(service)?.values() ?? [])];
    return entries.toSorted((a, b) => (a.instance.id < b.instance.id ? -1 : 1));
  }

  changesSince(service: string, revision: number): readonly Change[] | undefined {
    return this.#log.since(service, revision);
  }

  apply(input: LeaseInput, nowMs: number): readonly LeaseEffect[] {
    switch (input.kind) {
      case 'register':
        return this.#register(input, nowMs);
      case 'renew':
        return this.#renew(input, nowMs);
      case 'deregister':
        return this.#deregister(input);
      case 'expire':
        return this.#expire(nowMs);
    }
  }

  #register(input: Extract<LeaseInput, { kind: 'register' }>, nowMs: number): LeaseEffect[] {
    const { lease, ttlMs, wallMs } = input;
    const { service, id } = input.instance;
    if (!(ttlMs >= shortestTtlMs && ttlMs <= longestTtlMs)) return refuse(badTtl(ttlMs));
    const held = this.#services.get(service)?.get(id);
    // One that merely comes back must not take the id from a process that was started after it.
    if (held !== undefined && held.lease !== lease && !input.fresh)
      return refuse(leaseSuperseded(service, id));
    if (held === undefined && this.#size >= this.#maxInstances)
      return refuse(registryFull(this.#maxInstances));
    const isNews = held === undefined || held.lease !== lease || !sameInstance(held.instance, input.instance);
    const instance = isNews ? { ...input.instance, lastHeartbeatMs: wallMs } : held.instance;
    const entry: Entry = { instance, lease, ttlMs, renewedAtMs: nowMs, lastHeartbeatMs: wallMs };
    if (held !== undefined) this.#release(held);
    this.#hold(entry, nowMs);
    return isNews ? [this.#changed(service, id, entry), granted] : [granted];
  }

  #renew(input: Extract<LeaseInput, { kind: 'renew' }>, nowMs: number): LeaseEffect[] {
    const { service, id, lease, wallMs } = input;
    const held = this.#services.get(service)?.get(id);
    if (held === undefined) return refuse(leaseLost(service, id));
    if (held.lease !== lease) return refuse(leaseSuperseded(service, id));
    const { health = held.instance.health } = input;
    const isNews = health !== held.instance.health;
    if (isNews) held.instance = { ...held.instance, health, lastHeartbeatMs: wallMs };
    held.lastHeartbeatMs = wallMs;
    this.#queue.renew(held, nowMs);
    return isNews ? [this.#changed(service, id, held), granted] : [granted];
  }

  #deregister({ service, id, lease }: Extract<LeaseInput, { kind: 'deregister' }>): LeaseEffect[] {
    const held = this.#services.get(service)?.get(id);
    if (held === undefined) return [granted];
    if (lease !== undefined && held.lease !== lease) return refuse(leaseSuperseded(service, id));
    this.#release(held);
    this.#preservation.forget();
    return [this.#changed(service, id, undefined), granted];
  }

  #expire(nowMs: number): LeaseEffect[] {
    const lapsed = this.#queue.lapsed(nowMs);
    const { evict, turn } = this.#preservation.judge(lapsed.length, this.#size, nowMs);
    const effects: LeaseEffect[] = turn === undefined ? [] : [turn];
    if (!evict) return effects;
    for (const entry of lapsed) {
      this.#release(entry);
      effects.push(this.#changed(entry.instance.service, entry.instance.id, undefined));
    }
    return effects;
  }

  #hold(entry: Entry, nowMs: number): void {
    const { service, id } = entry.instance;
    let entries = this.#services.get(service);
    if (entries === undefined) {
      entries = new Map();
      this.#services.set(service, entries);
    }
    entries.set(id, entry);
    this.#size += 1;
    this.#queue.renew(entry, nowMs);
  }

  #release(entry: Entry): void {
    const { service, id } = entry.instance;
    const entries = this.#services.get(service);
    entries?.delete(id);
    if (entries?.size === 0) this.#services.delete(service);
    this.#size -= 1;
    this.#queue.remove(entry);
  }

  #changed(service: string, id: string, entry: Entry | undefined): LeaseEffect {
    this.#revision += 1;
    const change: Change = { revision: this.#revision, service, id, instance: entry?.instance };
    this.#log.append(change);
    const leased = entry && { instance: entry.instance, lease: entry.lease, ttlMs: entry.ttlMs };
    return { kind: 'changed', change, leased };
  }
}

function refuse(error: HeddleError): LeaseEffect[] {
  return [{ kind: 'refused', error }];
}

function badTtl(ttlMs: number): HeddleError {
  const message = `expected a lease of ${shortestTtlMs} to ${longestTtlMs} ms, found ${ttlMs}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_TTL', message });
}

function registryFull(limit: number): HeddleError {
  const message = `the registry holds ${limit} instances, which is its limit; raise maxInstances or deregister some`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'REGISTRY_FULL', message });
}
