import type { SqlPool } from '@heddle/sql';
import { Call, HeddleError, type Part, type Runtime, settle, type Timer } from '@heddle/kernel';
import { advance, type Partners, record } from './fulfilment.ts';
import { isUnderWay } from './order.ts';
import { claimStale, type StaleOrder } from './order-store.ts';

/** What the sweep may be told. Durations in milliseconds. */
export interface SweepOptions {
  readonly runtime: Runtime;
  readonly pool: SqlPool;
  readonly partners: Partners;
  /** How often to look. Default 1000. */
  readonly everyMs?: number;
  /** How long an order must have stood still to be taken in hand. Default 5000: longer than any step takes. */
  readonly idleMs?: number;
  /** How old an order may get before it is called off instead. Default 60000. */
  readonly giveUpMs?: number;
}

/** Finishes the orders that were left behind by an instance that died or a partner that could not be reached. */
export function sweep(options: SweepOptions): Part {
  const { runtime, pool, partners, everyMs = 1000, idleMs = 5000, giveUpMs = 60_000 } = options;
  let timer: Timer | undefined;
  let round: Promise<void> = Promise.resolve();
  let stopped = false;

  const finish = async ({ order, ageMs }: StaleOrder): Promise<void> => {
    const service = async (_: undefined, call: Call): Promise<void> => {
      const tooOld = isUnderWay(order) && ageMs > giveUpMs;
      const current = tooOld
        ? await record(order, { kind: 'refused', reason: 'TOOK_TOO_LONG' }, pool)
        : order;
      await advance(current, partners, pool, call);
    };
    const result = await settle(service, undefined, Call.root(runtime, runtime.clock.nowMs() + idleMs));
    if (result.ok) runtime.log('info', 'an order that was left behind is finished', { order: order.orderId });
    else runtime.log('warn', 'an order stands still', { order: order.orderId, error: result.error.message });
  };

  const look = async (): Promise<void> => {
    try {
      await Promise.all((await claimStale(pool, idleMs)).map(finish));
    } catch (thrown) {
      runtime.log('warn', 'the sweep could not look for orders', { error: HeddleError.from(thrown).message });
    }
  };

  const schedule = (): void => {
    if (stopped) return;
    timer = runtime.timers.after(everyMs, () => {
      round = look().then(schedule);
    });
  };

  const halt = (): Promise<void> => {
    stopped = true;
    timer?.cancel();
    return round;
  };
  return {
    name: 'sweep of unfinished orders',
    start: () => {
      schedule();
      return Promise.resolve();
    },
    drain: halt,
    stop: halt,
  };
}
