import { HeddleError, type Runtime, sleep, type Call } from '@heddle/kernel';
import { backoffMs } from '@heddle/traffic';
import type { Engine } from '../engine.ts';
import type { Message } from '../message/message.ts';

interface Waiting {
  readonly messages: readonly Message[];
  readonly resolve: () => void;
  readonly reject: (error: HeddleError) => void;
}

// One append: large enough that its fixed cost is nothing, small enough that others need not wait long.
const mostPerAppend = 1000;

/**
 * Group commit: what is published while an append runs goes out together with the next one. So concurrent publishers
 * share the cost of making things durable, and messages of one key stay in the order in which they were published.
 */
export class Publisher {
  readonly #engine: Engine;
  #queue: Waiting[] = [];
  #running = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Resolves when all are as durable as the engine promises. */
  publish(messages: readonly Message[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ messages, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#queue.length > 0) await this.#appendOnce();
    this.#running = false;
  }

  async #appendOnce(): Promise<void> {
    const together = this.#next();
    try {
      await this.#engine.append(together.flatMap(({ messages }) => messages));
      for (const { resolve } of together) resolve();
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      // What was refused for one is no reason to refuse the others: each again, alone.
      if (together.length > 1 && !error.sent) await this.#appendEach(together);
      else for (const { reject } of together) reject(error);
    }
  }

  async #appendEach(together: readonly Waiting[]): Promise<void> {
    for (const { messages, resolve, reject } of together) {
      try {
        await this.#engine.append(messages);
        resolve();
      } catch (thrown) {
        reject(HeddleError.from(thrown));
      }
    }
  }

  #next(): readonly Waiting[] {
    let count = 0;
    let messages = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && messages + waiting.messages.length > mostPerAppend) break;
      messages += waiting.messages.length;
      count += 1;
    }
    const together = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return together;
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
      return await publisher.publish(messages);
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
