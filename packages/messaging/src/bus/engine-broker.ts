import {
  type Call,
  type ErrorDetail,
  HeddleError,
  type Runtime,
  type Service,
  withSpan,
} from '@heddle/kernel';
import type { Broker, PublishOptions, SubscribeOptions, Subscription } from '../broker.ts';
import { DeadLetters } from '../delivery/dead-letters.ts';
import type { BatchHandler } from '../delivery/handling.ts';
import type { Engine, PartitionLag } from '../engine.ts';
import { completeMessage } from '../message/complete-message.ts';
import type { Delivery, Message, MessageInit } from '../message/message.ts';
import { noTopic } from '../topic/topic-error.ts';
import { type TopicInfo, type TopicOptions, topicInfo } from '../topic/topic.ts';
import { answering } from './answering.ts';
import type { BrokerMeasures } from './measures.ts';
import { Publisher, publishAtLeastOnce } from './publisher.ts';
import { Replies } from './replies.ts';
import { openSubscription } from './subscription.ts';

/** What a broker is made from. */
export interface BrokerOptions {
  readonly runtime: Runtime;
  /** The name of this service, for `Message.source`. */
  readonly source: string;
  /** Told of everything that is sent, handled and put aside. Default: nobody. */
  readonly measures?: BrokerMeasures;
}

/** A broker on an engine: what all engines have in common is done here, once. */
export function broker(engine: Engine, options: BrokerOptions): Broker {
  return new EngineBroker(engine, options);
}

class EngineBroker implements Broker {
  readonly #engine: Engine;
  readonly #options: BrokerOptions;
  readonly #publisher: Publisher;
  readonly #replies: Replies;
  readonly #topics = new Map<string, TopicInfo>();
  readonly #subscriptions = new Set<Subscription>();
  #closed: Promise<void> | undefined;

  constructor(engine: Engine, options: BrokerOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#publisher = new Publisher(engine);
    this.#replies = new Replies(options.runtime, engine);
  }

  get name(): string {
    return this.#engine.name;
  }

  get promises(): Engine['promises'] {
    return this.#engine.promises;
  }

  async createTopic(name: string, options?: TopicOptions): Promise<TopicInfo> {
    const info = topicInfo(name, options);
    await this.#engine.createTopic(info);
    this.#topics.set(name, info);
    return info;
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#engine.topics();
  }

  async publish(init: MessageInit, options: PublishOptions = {}): Promise<Message> {
    const [message] = await this.publishBatch([init], options);
    return message as Message;
  }

  async publishBatch(
    inits: readonly MessageInit[],
    options: PublishOptions = {},
  ): Promise<readonly Message[]> {
    this.#checkOpen();
    const { mode = 'at-least-once', call } = options;
    if (call === undefined || inits.length === 0) return this.#publishAll(inits, mode, call);
    const attributes = { 'messaging.destination.name': inits[0]?.topic ?? '' };
    const span = { kind: 'producer', name: `publish ${inits[0]?.topic}`, attributes } as const;
    return withSpan(call, span, (own) => this.#publishAll(inits, mode, own));
  }

  async #publishAll(
    inits: readonly MessageInit[],
    mode: PublishOptions['mode'],
    call: Call | undefined,
  ): Promise<readonly Message[]> {
    const messages = completeAll(inits, this.#options, call);
    for (const message of messages) this.#checkPromises(message);
    if (messages.length === 0) return messages;
    if (mode === 'at-most-once') await this.#publisher.publish(messages);
    else await publishAtLeastOnce(this.#options.runtime, this.#publisher, messages, call);
    this.#options.measures?.published(messages);
    return messages;
  }

  send(command: MessageInit, options: PublishOptions = {}): Promise<Message> {
    return this.publish({ ...command, kind: 'command' }, options);
  }

  async request(query: MessageInit, call: Call): Promise<Message> {
    this.#checkOpen();
    const { runtime } = this.#options;
    const waiting = call.child(call.deadlineMs ?? runtime.clock.nowMs() + 5000);
    try {
      await this.#replies.ready();
      const headers = {
        ...query.headers,
        deadline: String(Math.floor(runtime.clock.wallMs() + waiting.remainingMs())),
      };
      const kind = query.kind ?? 'query';
      const init: MessageInit = { ...query, kind, replyTo: this.#replies.topic.name, headers };
      const message = completeMessage(init, this.#options, waiting);
      return await this.#replies.to(message, waiting, () => this.#publisher.publish([message]));
    } finally {
      waiting.end();
    }
  }

  subscribe(
    topic: string,
    options: SubscribeOptions,
    handler: Service<Delivery, void>,
  ): Promise<Subscription> {
    const one: BatchHandler = ([delivery], call) => handler(delivery as Delivery, call);
    return this.#open(topic, options, 1, one);
  }

  subscribeBatch(
    topic: string,
    options: SubscribeOptions & { readonly batch?: number },
    handler: BatchHandler,
  ): Promise<Subscription> {
    const { batch = 100, ...others } = options;
    return this.#open(topic, others, batch, handler);
  }

  answer(
    topic: string,
    options: SubscribeOptions,
    handler: Service<Delivery, Pick<MessageInit, 'payload'> & Partial<MessageInit>>,
  ): Promise<Subscription> {
    const { runtime } = this.#options;
    const reply = async (init: MessageInit): Promise<void> => {
      await this.#publisher.publish([completeMessage(init, this.#options)]);
    };
    return this.subscribe(topic, options, answering(runtime, handler, reply));
  }

  async lag(topic: string, group: string): Promise<readonly PartitionLag[]> {
    return this.#engine.lag(topic, group);
  }

  deadLetters(topic: string, group: string): DeadLetters {
    return new DeadLetters(this.#engine, topic, group, () => this.#options.runtime.clock.wallMs());
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await this.#replies.close();
    await this.#engine.close();
  }

  async #open(
    name: string,
    options: SubscribeOptions,
    batch: number,
    handler: BatchHandler,
  ): Promise<Subscription> {
    this.#checkOpen();
    const subscription = await openSubscription({
      runtime: this.#options.runtime,
      engine: this.#engine,
      topic: await this.#topic(name),
      options,
      batch,
      handler,
      deadLetters: (group) => this.deadLetters(name, group),
      measures: this.#options.measures,
    });
    this.#subscriptions.add(subscription);
    return {
      close: () => {
        this.#subscriptions.delete(subscription);
        return subscription.close();
      },
    };
  }

  async #topic(name: string): Promise<TopicInfo> {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    for (const info of await this.#engine.topics()) this.#topics.set(info.name, info);
    const found = this.#topics.get(name);
    if (found === undefined) throw noTopic(name);
    return found;
  }

  #checkPromises({ deliverAtMs, payload, topic }: Message): void {
    const { delayed, maxPayloadBytes } = this.promises;
    if (deliverAtMs > 0 && !delayed) throw unsupported(`${this.name} cannot deliver later (deliverAtMs)`);
    if (payload.byteLength > maxPayloadBytes)
      throw unsupported(
        `${this.name} takes ${maxPayloadBytes} bytes at most, not ${payload.byteLength} (topic ${topic})`,
      );
  }

  #checkOpen(): void {
    if (this.#closed === undefined) return;
    const message = `the broker (${this.name}) has been closed`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'BROKER_CLOSED', message, sent: false });
  }
}

function unsupported(message: string): HeddleError {
  return new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
}

/** All problems of all messages at once, each with its place in the list. */
function completeAll(
  inits: readonly MessageInit[],
  sender: BrokerOptions,
  call: Call | undefined,
): readonly Message[] {
  const problems: HeddleError[] = [];
  const messages: Message[] = [];
  for (const init of inits) {
    try {
      messages.push(completeMessage(init, sender, call));
    } catch (thrown) {
      problems.push(HeddleError.from(thrown));
    }
  }
  const [first] = problems;
  if (first === undefined) return messages;
  const details: readonly ErrorDetail[] = problems.flatMap((problem) => problem.details);
  throw problems.length === 1
    ? first
    : first.with({ details, message: problems.map(({ message }) => message).join('\n') });
}
