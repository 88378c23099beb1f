import { type Call, Gather, HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { backoffMs } from '@heddle/traffic';
import type { Engine } from '../engine.ts';
import type { Message } from '../message/message.ts';

// One append: large enough that its fixed cost is nothing, small enough that others need not wait long.
const mostPerAppend = 1000;

/**
 * What is published while an append runs goes out together with the next one: concurrent publishers share the cost of
 * making things durable, and messages of one key stay in the order in which they were published.
 */
export class Publisher {
  readonly #gather: Gather<readonly Message[], undefined>;

  constructor(engine: Engine) {
    this.#gather = new Gather({
      most: mostPerAppend,
      weigh: (messages) => messages.length,
      send: async (all) => {
        await engine.append(all.length === 1 ? (all[0] as readonly Message[]) : all.flat());
        return all.map(() => undefined);
      },
      // What was refused for one is no reason to refuse the others.
      alone: (error) => !error.sent,
    });
  }

  /** Resolves when all are as durable as the engine promises. */
  publish(messages: readonly Message[]): Promise<undefined> {
    return this.#gather.add(messages);
  }
}

// So long a broker's restart is waited for, where the caller has no deadline of its own.
const patienceMs = 15_000;

/**
 * `publish`, again while the engine cannot be reached, until the call's deadline, or for 15 s if it has none. A message may be there twice
 * then, under one id: at least once is what was asked for.
 */
export async function publishAtLeastOnce(
  runtime: Runtime,
  publisher: Publisher,
  messages: readonly Message[],
  call: Call | undefined,
): Promise<void> {
  const untilMs = call?.deadlineMs ?? runtime.clock.nowMs() + patienceMs;
  for (let failures = 1; ; failures += 1) {
    try {
      await publisher.publish(messages);
      return;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      const waitMs = backoffMs(failures, runtime.random, { baseMs: 50, maxMs: 1000 });
      if (!mayPass(error) || runtime.clock.nowMs() + waitMs >= untilMs) throw error;
      await sleep(runtime.timers, waitMs, call);
    }
  }
}

function mayPass({ code }: HeddleError): boolean {
  return code === 'unavailable' || code === 'unknown' || code === 'deadline_exceeded' || code === 'aborted';
}
