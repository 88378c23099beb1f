import {
  asCurrent,
  type Call,
  HeddleError,
  openSpan,
  type Runtime,
  type Service,
  settle,
  type SpanReport,
} from '@heddle/kernel';
import { type Backoff, backoffMs, timeout } from '@heddle/traffic';
import type { Claim } from '../engine.ts';
import type { Delivery } from '../message/message.ts';
import { deliveryCall } from './delivery-call.ts';
import { dispositionOf } from './disposition.ts';

/** What is done with one or more messages of a partition, all or none. Rejects if it was not done. */
export type BatchHandler = Service<readonly Delivery[], void>;

/** What a subscription does with its messages. */
export interface HandlingOptions {
  readonly runtime: Runtime;
  readonly handler: BatchHandler;
  /** Attempts in all. */
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly handlerTimeoutMs: number;
  /** Puts it aside for good. Rejects if that cannot be done now. */
  readonly deadLetter: (delivery: Delivery, error: HeddleError) => Promise<void>;
  /** Counted by who measures. */
  readonly onOutcome: (outcome: 'handled' | 'retried' | 'dead', deliveries: readonly Delivery[]) => void;
}

/** Handles messages with retries, and puts aside what cannot be handled. */
export class Handling {
  readonly #options: HandlingOptions;
  readonly #service: BatchHandler;

  constructor(options: HandlingOptions) {
    this.#options = options;
    // A handler that never returns is given up at the deadline: its partition must go on.
    this.#service = timeout<readonly Delivery[], void>()((deliveries, call) =>
      asCurrent(call, () => options.handler(deliveries, call)),
    );
  }

  /** The whole batch, once; false if that failed. */
  async once(deliveries: readonly Delivery[], claim: Claim): Promise<boolean> {
    const first = deliveries[0];
    if (first === undefined) return true;
    return (await this.#attempt(deliveries, first, claim)) === undefined;
  }

  /** One message, until it is handled or put aside. False: the claim was over before. */
  async toTheEnd(delivery: Delivery, claim: Claim): Promise<boolean> {
    const { attempts, backoff, runtime, onOutcome } = this.#options;
    // What has killed its consumer as often as it may be tried gets no other chance to.
    if (delivery.attempt > attempts)
      return this.#putAside(delivery, consumerDied(delivery.attempt - 1), claim);
    for (let tried = delivery.attempt; !claim.over.fired; tried += 1) {
      const now = tried === delivery.attempt ? delivery : { ...delivery, attempt: tried };
      const error = await this.#attempt([now], now, claim);
      if (error === undefined) return true;
      if (claim.over.fired) return false;
      if (tried >= attempts || dispositionOf(error) === 'dead-letter')
        return this.#putAside(now, error, claim);
      onOutcome('retried', [now]);
      await pause(runtime, backoffMs(tried, runtime.random, backoff), claim);
    }
    return false;
  }

  async #attempt(
    deliveries: readonly Delivery[],
    first: Delivery,
    claim: Claim,
  ): Promise<HeddleError | undefined> {
    const { runtime, handlerTimeoutMs, onOutcome } = this.#options;
    const call = deliveryCall(runtime, first, handlerTimeoutMs);
    cancelWith(call, claim);
    const span = openSpan(call, { kind: 'consumer' });
    const result = await settle(this.#service, deliveries, call);
    span.end(result.ok ? undefined : result.error, reportOf(deliveries, first));
    if (!result.ok) return result.error;
    onOutcome('handled', deliveries);
    return undefined;
  }

  async #putAside(delivery: Delivery, error: HeddleError, claim: Claim): Promise<boolean> {
    const { deadLetter, runtime, onOutcome } = this.#options;
    for (let failures = 1; !claim.lost.fired; failures += 1) {
      try {
        await deadLetter(delivery, error);
        onOutcome('dead', [delivery]);
        return true;
      } catch (thrown) {
        const why = HeddleError.from(thrown).message;
        runtime.log('warn', 'a dead letter cannot be put aside yet', { id: delivery.message.id, why });
        await pause(runtime, backoffMs(failures, runtime.random, { baseMs: 100, maxMs: 5000 }), claim);
      }
    }
    return false;
  }
}

function reportOf(deliveries: readonly Delivery[], { message, attempt }: Delivery): SpanReport {
  const attributes = {
    'messaging.destination.name': message.topic,
    'messaging.message.id': message.id,
    'heddle.correlation_id': message.correlationId,
    ...(deliveries.length > 1 && { 'messaging.batch.message_count': deliveries.length }),
    ...(attempt > 1 && { 'heddle.attempt': attempt }),
  };
  return { name: `process ${message.topic}`, attributes };
}

function cancelWith(call: Call, claim: Claim): void {
  const stop = claim.lost.on(() => call.cancel(claimLost()));
  call.onEnd(stop);
}

function pause(runtime: Runtime, delayMs: number, claim: Claim): Promise<void> {
  return new Promise((resolve) => {
    let stop: () => void = () => {};
    const timer = runtime.timers.after(delayMs, () => {
      stop();
      resolve();
    });
    stop = claim.over.on(() => {
      timer.cancel();
      resolve();
    });
  });
}

function claimLost(): HeddleError {
  const message = 'another consumer may have the partition, and handles the message again';
  return new HeddleError({ code: 'cancelled', reason: 'CLAIM_LOST', message });
}

function consumerDied(times: number): HeddleError {
  const message = `its consumer died ${times} times while it had this message`;
  return new HeddleError({ code: 'internal', reason: 'CONSUMER_DIED', message });
}
