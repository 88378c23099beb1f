import assert from 'node:assert/strict';
import { HeddleError, type Service } from '@heddle/kernel';
import type { Broker, SubscribeOptions, Subscription } from '../broker.ts';
import type { Delivery, MessageInit } from '../message/message.ts';
import { type BrokerStage, until } from './broker-stage.ts';

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A message of topic `orders` with this text as its payload. */
export function order(payload: string, more: Partial<MessageInit> = {}): MessageInit {
  return { topic: 'orders', payload: utf8.encode(payload), ...more };
}

/** The payload as text. */
export function textOf({ message }: Pick<Delivery, 'message'>): string {
  return text.decode(message.payload);
}

/** What a subscriber has seen. */
export class Recorder {
  readonly seen: Delivery[] = [];
  readonly #stage: BrokerStage;

  constructor(stage: BrokerStage) {
    this.#stage = stage;
  }

  /** The payloads, in the order in which they came. */
  get texts(): readonly string[] {
    return this.seen.map(textOf);
  }

  readonly handler: Service<Delivery, void> = async (delivery) => {
    this.seen.push(delivery);
  };

  /** Waits until at least so many have come, then that no more come at once. */
  async count(many: number, limitMs = 60_000): Promise<void> {
    await until(
      this.#stage.runtime,
      `${many} messages (${this.seen.length} came)`,
      limitMs,
      () => this.seen.length >= many,
    );
  }

  subscribe(broker: Broker, options: SubscribeOptions, topic = 'orders'): Promise<Subscription> {
    return broker.subscribe(topic, options, this.handler);
  }
}

/** Passes if the work rejects with this code and reason. */
export async function rejects(work: Promise<unknown>, code: string, reason: string): Promise<HeddleError> {
  try {
    await work;
  } catch (thrown) {
    assert.ok(thrown instanceof HeddleError, String(thrown));
    assert.deepEqual([thrown.code, thrown.reason], [code, reason], thrown.message);
    return thrown;
  }
  return assert.fail(`expected ${reason}`);
}
