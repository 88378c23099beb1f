import type { HeddleError, Runtime, Timer } from '@heddle/kernel';
import type { Change } from '../registry/change-log.ts';
import { ChangeSignal } from '../registry/change-signal.ts';
import type { Health } from '../registry/instance.ts';
import type { LeaseClient } from '../registry/lease-client.ts';
import {
  type LeasedInstance,
  type LeaseEffect,
  type LeaseInput,
  type LeaseTable,
  type LeaseTableOptions,
  leaseTable,
  step,
} from '../registry/lease-table.ts';
import type { Position, Snapshot } from '../registry/snapshot.ts';
import { type Journal, openJournal } from './journal.ts';

/** How often leases are looked at: a dead instance is gone this long after its lease at the latest, plus disk time. */
const lookEveryMs = 500;

/** How a store is made. */
export interface LeaseStoreOptions extends LeaseTableOptions {
  /** Within the runtime's disk. Default `registry`. One process at a time. */
  readonly folder?: string;
}

/** What a store knows about itself, for people, metrics and the console. */
export interface LeaseStoreStatus extends Position {
  readonly instances: number;
  readonly services: number;
  readonly watches: number;
  /** True while nothing is evicted because too much lapsed at once. */
  readonly preserving: boolean;
  /** False while the disk fails. */
  readonly durable: boolean;
}

/**
 * The lease table with a clock, a disk and an audience: it keeps what the table says to keep, and tells the watchers.
 * A change is told at once and confirmed to whoever made it when it is on disk. Leases run on the monotonic clock.
 */
export class LeaseStore implements LeaseClient {
  readonly changed: ChangeSignal = new ChangeSignal();
  readonly #runtime: Runtime;
  readonly #graceMs: number;
  readonly #snapshots = new Map<string, Snapshot>();
  #table: LeaseTable;
  #journal: Journal | undefined;
  #term = 0;
  #look: Timer | undefined;
  #lookedAtMs = 0;
  #graceUntilMs = 0;

  private constructor(runtime: Runtime, graceMs: number) {
    this.#runtime = runtime;
    this.#graceMs = graceMs;
    this.#table = leaseTable();
  }

  /**
   * Opens what the disk holds. Every lease found there starts anew, so that its holder has one TTL to come back.
   * `graceMs` is how long nothing is evicted after this process was itself paused. Rejects as `openJournal` does.
   */
  static async open(runtime: Runtime, options: LeaseStoreOptions, graceMs: number): Promise<LeaseStore> {
    const store = new LeaseStore(runtime, graceMs);
    const capture = (): LeasedContent => store.#content();
    const { journal, content } = await openJournal(runtime, options.folder ?? 'registry', capture);
    const nowMs = runtime.clock.nowMs();
    store.#table = leaseTable(options, content, nowMs);
    store.#term = content.term;
    store.#journal = journal;
    store.#lookedAtMs = nowMs;
    store.#scheduleLook();
    return store;
  }

  get position(): Position {
    return { term: this.#term, revision: this.#table.revision };
  }

  get problem(): HeddleError | undefined {
    return this.#journal?.problem;
  }

  get status(): LeaseStoreStatus {
    const { size, preserving } = this.#table;
    const services = this.#table.services().length;
    const durable = this.problem === undefined;
    return { ...this.position, instances: size, services, watches: this.changed.count, preserving, durable };
  }

  put(leased: LeasedInstance, fresh: boolean): Promise<void> {
    return this.#apply({ kind: 'register', ...leased, fresh, wallMs: this.#wallMs() });
  }

  renew(service: string, id: string, lease: string, health: Health | undefined): Promise<void> {
    return this.#apply({ kind: 'renew', service, id, lease, health, wallMs: this.#wallMs() });
  }

  /** Without a lease: whoever holds it. */
  remove(service: string, id: string, lease?: string): Promise<void> {
    return this.#apply({ kind: 'deregister', service, id, lease });
  }

  services(): string[] {
    return this.#table.services();
  }

  /** For watchers: shared, and made once per change. Heartbeats are those of each instance's last change. */
  snapshot(service: string): Snapshot {
    const known = this.#snapshots.get(service);
    if (known !== undefined) return known;
    const instances = this.#table.held(service).map(({ instance }) => instance);
    const snapshot = this.#snapshotOf(service, instances);
    // Only of services that exist: a reader may ask for any number of names.
    if (instances.length > 0) this.#snapshots.set(service, snapshot);
    return snapshot;
  }

  /** For readers: at the present revision, and with the last heartbeats. */
  freshSnapshot(service: string): Snapshot {
    const held = this.#table.held(service);
    const instances = held.map(({ instance, lastHeartbeatMs }) => ({ ...instance, lastHeartbeatMs }));
    return this.#snapshotOf(service, instances);
  }

  /** What has happened to a service since; undefined if that is not known any more: take a snapshot. */
  changesSince(service: string, position: Position): readonly Change[] | undefined {
    if (position.term !== this.#term || position.revision > this.#table.revision) return undefined;
    return this.#table.changesSince(service, position.revision);
  }

  async close(): Promise<void> {
    this.#look?.cancel();
    await this.#journal?.close();
  }

  #snapshotOf(service: string, instances: Snapshot['instances']): Snapshot {
    return { service, ...this.position, ageMs: 0, stale: false, source: 'registry', instances, heldBack: 0 };
  }

  async #apply(input: LeaseInput): Promise<void> {
    const { state, effects } = step(this.#table, input, this.#runtime.clock.nowMs());
    this.#table = state;
    const writes = effects.map((effect) => this.#perform(effect));
    // After all of them, and each service once: its watchers then see one new state and not the steps to it.
    const services = new Set(
      effects.flatMap((effect) => (effect.kind === 'changed' ? [effect.change.service] : [])),
    );
    for (const service of services) {
      this.#snapshots.delete(service);
      this.changed.tell(service);
    }
    await Promise.all(writes);
  }

  async #perform(effect: LeaseEffect): Promise<void> {
    const { log } = this.#runtime;
    switch (effect.kind) {
      case 'changed': {
        const { revision, service, id } = effect.change;
        const { leased } = effect;
        return this.#journal?.append(
          leased === undefined ? { revision, service, id } : { revision, service, id, leased },
        );
      }
      case 'granted':
        return;
      case 'refused':
        throw effect.error;
      case 'preserving':
        log('warn', 'too many leases lapsed together: nothing is evicted until renewals recover', {
          ...effect,
        });
        return;
      case 'recovered':
        log('info', 'renewals have recovered: evicting again', { ...effect });
        return;
    }
  }

  #scheduleLook(): void {
    this.#look = this.#runtime.timers.after(lookEveryMs, () => {
      const nowMs = this.#runtime.clock.nowMs();
      // Paused, we heard no heartbeat; that says nothing about those who sent them.
      if (nowMs - this.#lookedAtMs > 4 * lookEveryMs) this.#graceUntilMs = nowMs + this.#graceMs;
      this.#lookedAtMs = nowMs;
      if (nowMs >= this.#graceUntilMs) void this.#apply({ kind: 'expire' });
      if (this.problem !== undefined) void this.#journal?.compact();
      this.#scheduleLook();
    });
  }

  #content(): LeasedContent {
    const held = this.#table.services().flatMap((service) => this.#table.held(service));
    const leased = held.map(({ instance, lease, ttlMs }) => ({ instance, lease, ttlMs }));
    return { ...this.position, leased };
  }

  #wallMs(): number {
    return Math.max(0, Math.floor(this.#runtime.clock.wallMs()));
  }
}

type LeasedContent = Position & { readonly leased: readonly LeasedInstance[] };
