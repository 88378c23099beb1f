import { type Call, type Code, codes, HeddleError, type Runtime } from '@heddle/kernel';
import type { Engine, Membership } from '../engine.ts';
import type { Delivery, Message } from '../message/message.ts';
import type { TopicInfo } from '../topic/topic.ts';

/** The error of a receiver, on its way back to who asked. */
const errorHeaders = { code: 'error-code', reason: 'error-reason', message: 'error-message' } as const;

/** An error as headers of a reply. */
export function errorAsHeaders(error: HeddleError): Record<string, string> {
  return {
    [errorHeaders.code]: error.code,
    [errorHeaders.reason]: error.reason,
    [errorHeaders.message]: error.message.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 2000),
  };
}

/** The error that a reply carries, if it does. */
export function errorOf({ headers }: Message): HeddleError | undefined {
  const code = headers[errorHeaders.code];
  if (code === undefined) return undefined;
  return new HeddleError({
    code: codes.includes(code as Code) ? (code as Code) : 'unknown',
    reason: headers[errorHeaders.reason] ?? 'UNKNOWN',
    message: headers[errorHeaders.message] ?? '',
  });
}

interface Asked {
  resolve(reply: Message): void;
  reject(error: HeddleError): void;
}

/**
 * The place where answers to this process arrive: a topic of its own, made with the first question and read by nobody
 * else. An answer that nobody waits for any more is dropped and counted; what a dead process leaves behind is removed
 * by the topic's retention.
 */
export class Replies {
  readonly topic: TopicInfo;
  readonly #runtime: Runtime;
  readonly #engine: Engine;
  readonly #asked = new Map<string, Asked>();
  #ready: Promise<void> | undefined;
  #membership: Membership | undefined;
  #reading: Promise<void> | undefined;
  #late = 0;

  constructor(runtime: Runtime, engine: Engine) {
    this.#runtime = runtime;
    this.#engine = engine;
    this.topic = { name: `reply.${runtime.random.uuid()}`, partitions: 1, retentionMs: 60_000 };
  }

  /** Answers that came when nobody waited for them any more. */
  get late(): number {
    return this.#late;
  }

  /** Resolves once answers can arrive. */
  ready(): Promise<void> {
    this.#ready ??= this.#open().catch((thrown: unknown) => {
      this.#ready = undefined;
      throw HeddleError.from(thrown);
    });
    return this.#ready;
  }

  /** The answer to the query with this id. Rejects with the receiver's error, or when the call is given up. */
  async to(query: Message, call: Call, send: () => Promise<void>): Promise<Message> {
    const answer = new Promise<Message>((resolve, reject) => {
      this.#asked.set(query.id, { resolve, reject });
      call.onCancel(reject);
    });
    const late = this.#runtime.timers.after(Math.max(0, call.remainingMs()), () => {
      this.#asked.get(query.id)?.reject(noReply(query));
    });
    try {
      // A refusal to send is the answer; but an answer can be faster than the news that it was sent.
      return await Promise.race([answer, send().then(() => answer)]);
    } finally {
      late.cancel();
      this.#asked.delete(query.id);
      // Whichever of the two was not waited for has nobody left to tell.
      answer.catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#membership?.end();
    await this.#reading;
    await this.#membership?.leave();
    if (this.#membership !== undefined) await this.#engine.deleteTopic(this.topic.name).catch(() => {});
    for (const asked of this.#asked.values()) asked.reject(closed());
  }

  async #open(): Promise<void> {
    await this.#engine.createTopic(this.topic);
    await new Promise<void>((resolve, reject) => {
      this.#membership = this.#engine.join({
        topic: this.topic,
        group: 'replies',
        member: this.topic.name,
        start: 'earliest',
        temporary: true,
        onClaim: (claim) => {
          this.#reading = this.#read(claim);
          resolve();
        },
        onProblem: (problem) => {
          if (problem !== undefined) reject(problem);
        },
      });
    });
  }

  async #read(claim: Parameters<Parameters<Engine['join']>[0]['onClaim']>[0]): Promise<void> {
    for (;;) {
      const deliveries = await claim.take(100).catch(() => []);
      if (deliveries === undefined) break;
      for (const delivery of deliveries) this.#deliver(delivery);
      await claim.ack(deliveries).catch(() => {});
    }
    await claim.release();
  }

  #deliver({ message }: Delivery): void {
    const asked = this.#asked.get(message.causationId);
    if (asked === undefined) {
      this.#late += 1;
      return;
    }
    const error = errorOf(message);
    if (error === undefined) asked.resolve(message);
    else asked.reject(error);
  }
}

function noReply({ topic }: Message): HeddleError {
  const message = `nobody has answered on ${topic} in time; whether the query was handled is not known`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'NO_REPLY', message });
}

function closed(): HeddleError {
  const message = 'the broker was closed while an answer was waited for';
  return new HeddleError({ code: 'cancelled', reason: 'BROKER_CLOSED', message });
}
