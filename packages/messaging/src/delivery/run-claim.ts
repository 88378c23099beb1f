import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Claim } from '../engine.ts';
import type { Delivery } from '../message/message.ts';
import type { Handling } from './handling.ts';
import { KeyedLanes } from './keyed-lanes.ts';

/** How a subscription works on a partition. */
export interface RunOptions {
  readonly runtime: Runtime;
  readonly handling: Handling;
  /** Messages that are handled side by side; those of one key never are. */
  readonly concurrency: number;
  /** Messages that are handled together. */
  readonly batch: number;
  /** Acknowledge before the handler runs: nothing is ever handled twice, and what a death interrupts is lost. */
  readonly acknowledgeFirst: boolean;
}

/** Works on a claim until it is over, then gives it back. Never rejects. */
export async function runClaim(claim: Claim, options: RunOptions): Promise<void> {
  try {
    if (options.batch > 1) await runBatches(claim, options);
    else await new LaneRun(claim, options).run();
  } catch (thrown) {
    // Only a claim that was lost ends so: the work is another's now.
    const error = HeddleError.from(thrown);
    options.runtime.log('warn', 'work on a partition has ended early', {
      partition: claim.partition,
      reason: error.reason,
      error: error.message,
    });
  }
  await claim.release();
}

/**
 * While a batch is handled, the next one is read, and the one before is acknowledged: what the engine takes for that is
 * not waited for.
 */
async function runBatches(claim: Claim, options: RunOptions): Promise<void> {
  const { batch } = options;
  let acknowledging: Promise<void> | undefined;
  let next = taken(claim, batch, options);
  try {
    for (let now = await next; now !== undefined; now = await next) {
      next = taken(claim, batch, options);
      if (!(await handled(now, claim, options))) return;
      await acknowledging;
      acknowledging = options.acknowledgeFirst ? undefined : acknowledged(claim, now, options);
      // Awaited with the next batch or at the end; until then a failure is nobody's.
      acknowledging?.catch(() => {});
    }
    await acknowledging;
  } finally {
    await acknowledging?.catch(() => {});
  }
}

/** False if the claim was over before all was done. */
async function handled(deliveries: readonly Delivery[], claim: Claim, options: RunOptions): Promise<boolean> {
  const { handling, acknowledgeFirst } = options;
  if (acknowledgeFirst) await acknowledged(claim, deliveries, options);
  // One bad message must not take the others with it: alone, each has its own tries.
  if (deliveries.length > 1 && (await handling.once(deliveries, claim))) return true;
  for (const each of deliveries) if (!(await handling.toTheEnd(each, claim))) return false;
  return true;
}

/** Side by side by key. What was taken and not begun when the claim ends is somebody else's. */
class LaneRun {
  readonly #claim: Claim;
  readonly #options: RunOptions;
  readonly #lanes: KeyedLanes;
  readonly #running = new Set<Promise<void>>();
  #failure: HeddleError | undefined;

  constructor(claim: Claim, options: RunOptions) {
    this.#claim = claim;
    this.#options = options;
    this.#lanes = new KeyedLanes(options.concurrency);
  }

  async run(): Promise<void> {
    const { concurrency, acknowledgeFirst } = this.#options;
    // Twice what can run: so that a lane is never idle for want of a read.
    const most = concurrency === 1 ? 16 : concurrency * 2;
    for (;;) {
      while (this.#lanes.size >= most && this.#running.size > 0) await Promise.race(this.#running);
      if (this.#failure !== undefined) break;
      const deliveries = await taken(this.#claim, most - this.#lanes.size, this.#options);
      if (deliveries === undefined) break;
      if (acknowledgeFirst) await acknowledged(this.#claim, deliveries, this.#options);
      for (const delivery of deliveries) this.#lanes.add(delivery);
      this.#startAll();
    }
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #startAll(): void {
    if (this.#claim.over.fired && !this.#options.acknowledgeFirst) return;
    for (let next = this.#lanes.start(); next !== undefined; next = this.#lanes.start()) {
      const work: Promise<void> = this.#work(next).finally(() => this.#running.delete(work));
      this.#running.add(work);
    }
  }

  async #work(delivery: Delivery): Promise<void> {
    const { handling, acknowledgeFirst } = this.#options;
    const done = await handling.toTheEnd(delivery, this.#claim);
    this.#lanes.finish(delivery);
    this.#startAll();
    if (!done || acknowledgeFirst) return;
    try {
      await acknowledged(this.#claim, [delivery], this.#options);
    } catch (thrown) {
      this.#failure = HeddleError.from(thrown);
    }
  }
}

const failureWaitMs = 500;

/** `take`, again and again while the engine cannot be reached: the lease says when that is enough. */
async function taken(
  claim: Claim,
  max: number,
  { runtime }: RunOptions,
): Promise<readonly Delivery[] | undefined> {
  while (!claim.over.fired) {
    try {
      return await claim.take(max);
    } catch (thrown) {
      await afterFailure(runtime, claim, HeddleError.from(thrown));
    }
  }
  return undefined;
}

/** `ack`, again while the engine cannot be reached. Rejects when the claim was lost. */
async function acknowledged(
  claim: Claim,
  deliveries: readonly Delivery[],
  { runtime, acknowledgeFirst }: RunOptions,
): Promise<void> {
  for (;;) {
    try {
      return await claim.ack(deliveries, acknowledgeFirst ? 'handling' : undefined);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.reason === 'CLAIM_LOST' || claim.lost.fired) throw error;
      await afterFailure(runtime, claim, error);
    }
  }
}

async function afterFailure(runtime: Runtime, claim: Claim, error: HeddleError): Promise<void> {
  runtime.log('debug', 'the broker cannot be asked', { reason: error.reason, error: error.message });
  await new Promise<void>((resolve) => {
    let stop: () => void = () => {};
    const timer = runtime.timers.after(failureWaitMs * runtime.random.float(), () => {
      stop();
      resolve();
    });
    stop = claim.lost.on(() => {
      timer.cancel();
      resolve();
    });
  });
}
