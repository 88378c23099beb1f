import { type Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Instance } from '../../registry/instance.ts';
import { Newest } from '../../registry/newest.ts';
import type { Collections } from './kinds.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import type { KubernetesLeases } from './kubernetes-leases.ts';
import { readLease } from './lease-object.ts';
import { LiveLeases, type Moment } from './live-leases.ts';
import { listObjects, type ObjectListener, watchObjects, type WholeObject } from './object-watch.ts';
import { instancesInSlices, type PortName } from './slice-instances.ts';

/** What a service is watched with. */
export interface ServiceWatchOptions {
  readonly runtime: Runtime;
  readonly client: KubernetesClient;
  readonly collections: Collections;
  readonly leases: KubernetesLeases;
  readonly service: string;
  readonly port: PortName;
}

// A timer that is later than this was held up: this process was paused or blocked, and has not read what came.
const lateMs = 300;
// So that not all who watch take away a dead entry at the same moment.
const sweepSpreadMs = 1000;

/**
 * What is known of one service: slices that others have made, and leases that are ours. It outlives the watches that
 * fill it, so that after a break nobody is held for dead who only could not be seen.
 */
export class ServiceWatch {
  readonly #options: ServiceWatchOptions;
  readonly #live = new LiveLeases();
  #slices = new Map<string, WholeObject>();
  /** Until when it is known which leases were renewed: what should have ended since may only not have been seen. */
  #judgedMs = 0;
  #maySweep = true;

  constructor(options: ServiceWatchOptions) {
    this.#options = options;
  }

  /** For a `Follow`: yields all instances after every change, until it throws or the call is cancelled. */
  async *follow(call: Call): AsyncGenerator<{ instances: readonly Instance[] }, void> {
    const { runtime, client, collections, service } = this.#options;
    const own = call.child();
    const news = new Newest<'changed'>();
    const watch = (slices: boolean, listener: ObjectListener): void => {
      const selection = slices ? collections.foreignSlices(service) : collections.leasesOf(service);
      watchObjects({ runtime, client, selection, listener }, own).catch((thrown: unknown) =>
        news.fail(thrown),
      );
    };
    const listed = { slices: false, leases: false };
    const changed = (): void => {
      if (listed.slices && listed.leases) news.put('changed');
    };
    const expiry = new Expiry(runtime, this.#live, () => {
      this.#confirm().then(
        () => {
          this.#sweep(own);
          changed();
          expiry.look(this.#judgedMs);
        },
        (thrown: unknown) => news.fail(thrown),
      );
    });
    const forget = own.onCancel((error) => news.fail(error));
    try {
      watch(true, this.#sliceListener(listed, changed));
      watch(false, this.#leaseListener(listed, changed, expiry));
      for (;;) {
        // Many changes at once are one: what there is is looked at when it is asked for.
        await news.take();
        yield { instances: this.#instances() };
      }
    } finally {
      forget();
      expiry.stop();
      own.cancel(over());
      own.end();
    }
  }

  #instances(): readonly Instance[] {
    const { service, port } = this.#options;
    const foreign = instancesInSlices(service, [...this.#slices.values()], port);
    const own = this.#live.alive(this.#judgedMs);
    const ids = new Set(own.map(({ id }) => id));
    return [...own, ...foreign.filter(({ id }) => !ids.has(id))];
  }

  #sliceListener(listed: { slices: boolean }, changed: () => void): ObjectListener {
    return {
      listed: (objects) => {
        this.#slices = new Map(objects.map((object) => [object.metadata.name, object]));
        listed.slices = true;
        changed();
      },
      put: (object) => {
        this.#slices.set(object.metadata.name, object);
        changed();
      },
      removed: (name) => {
        if (this.#slices.delete(name)) changed();
      },
    };
  }

  #leaseListener(listed: { leases: boolean }, changed: () => void, expiry: Expiry): ObjectListener {
    return {
      listed: (objects) => {
        const read = objects.map(readLease).filter((lease) => lease !== undefined);
        this.#live.replace(read, this.#now, this.#judgedMs);
        this.#judgedMs = this.#now.nowMs;
        listed.leases = true;
        expiry.look(this.#judgedMs);
        changed();
      },
      put: (object) => {
        const lease = readLease(object);
        const isNews =
          lease === undefined ? this.#live.remove(object.metadata.name) : this.#live.put(lease, this.#now);
        expiry.look(this.#judgedMs);
        if (isNews) changed();
      },
      removed: (name) => {
        if (this.#live.remove(name)) changed();
      },
    };
  }

  get #now(): Moment {
    const { runtime, client } = this.#options;
    return { nowMs: runtime.clock.nowMs(), serverMs: client.clock.nowMs };
  }

  /** Asks before anybody is held for dead: a watch that is silent may be one that is broken. Rejects if nobody answers. */
  async #confirm(): Promise<void> {
    const { client, collections, service } = this.#options;
    const { nowMs } = this.#now;
    const { objects } = await listObjects(client, collections.leasesOf(service));
    for (const lease of objects.map(readLease)) if (lease !== undefined) this.#live.put(lease, this.#now);
    this.#judgedMs = Math.max(this.#judgedMs, nowMs);
  }

  /** Takes away what is over, for those who cannot judge it: kube-proxy and DNS. Whoever may not does not. */
  #sweep(call: Call): void {
    const { runtime, leases } = this.#options;
    if (!this.#maySweep) return;
    const over = this.#live.over(this.#judgedMs);
    if (over.length === 0) return;
    const timer = runtime.timers.after(sweepSpreadMs * runtime.random.float(), () => {
      for (const lease of over) {
        leases.removeLease(lease).catch((thrown: unknown) => {
          const { code, reason } = HeddleError.from(thrown);
          if (code === 'permission_denied') this.#maySweep = false;
          else if (reason !== 'CONFLICT') runtime.log('debug', 'a dead entry was not removed', { reason });
        });
      }
    });
    call.onCancel(() => timer.cancel());
  }
}

/** Calls when a lease has ended. */
class Expiry {
  readonly #runtime: Runtime;
  readonly #live: LiveLeases;
  readonly #ended: () => void;
  #timer: Timer | undefined;

  constructor(runtime: Runtime, live: LiveLeases, ended: () => void) {
    this.#runtime = runtime;
    this.#live = live;
    this.#ended = ended;
  }

  /**
   * Renewals only make ends later, so a timer that is set stays good; when it strikes, what it calls looks again.
   * `judgedMs`: until when ends have been looked at.
   */
  look(judgedMs: number): void {
    if (this.#timer !== undefined) return;
    const { clock, timers } = this.#runtime;
    const endMs = this.#live.nextEndMs(judgedMs);
    if (endMs === undefined) return;
    const strikeMs = Math.max(endMs, clock.nowMs());
    this.#timer = timers.after(strikeMs - clock.nowMs(), () => {
      this.#timer = undefined;
      const heldUpMs = clock.nowMs() - strikeMs;
      if (heldUpMs <= lateMs) return this.#ended();
      this.#live.postpone(heldUpMs + lateMs, clock.nowMs());
      this.look(judgedMs);
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

function over(): HeddleError {
  return new HeddleError({ code: 'cancelled', reason: 'WATCH_ENDED', message: 'the watch is over' });
}
