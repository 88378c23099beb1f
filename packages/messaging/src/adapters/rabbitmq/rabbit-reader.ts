import type { Runtime } from '@heddle/kernel';
import type { Channel, ConsumeMessage } from 'amqplib';
import { HeddleError } from '@heddle/kernel';
import type { Stored } from '../../log/log-store.ts';
import type { RabbitConnection } from './rabbit-connection.ts';
import { rabbitError } from './rabbit-error.ts';
import { offsetOf, readMessage } from './rabbit-message.ts';
import type { Names } from './rabbit-names.ts';

interface Reader {
  readonly topic: string;
  readonly channel: Channel;
  ahead: { readonly stored: Stored; readonly from: ConsumeMessage }[];
  usedMs: number;
  over: boolean;
}

// The server sends so many ahead of what we have taken.
const mostAhead = 500;
const unusedAfterMs = 30_000;

/** Reads partitions: the server sends what comes, and `onAppend` is called with the topic. */
export class RabbitReaders {
  readonly #runtime: Runtime;
  readonly #connection: RabbitConnection;
  readonly #names: Names;
  readonly #onAppend: (topic: string) => void;
  /** By where their owner is: several groups may be at one place. */
  readonly #kept = new Map<string, Reader[]>();

  constructor(
    runtime: Runtime,
    connection: RabbitConnection,
    names: Names,
    onAppend: (topic: string) => void,
  ) {
    this.#runtime = runtime;
    this.#connection = connection;
    this.#names = names;
    this.#onAppend = onAppend;
  }

  /** What has come of offset `from` and more, `max` at most; none if nothing has come yet. */
  async read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]> {
    const reader = this.#take(topic, partition, from) ?? (await this.#open(topic, partition, from));
    if (reader.over) throw ended(topic, partition);
    const found = reader.ahead.slice(0, max);
    reader.ahead = reader.ahead.slice(max);
    const last = found.at(-1);
    if (last !== undefined) reader.channel.ack(last.from, true);
    reader.usedMs = this.#runtime.clock.nowMs();
    this.#keep(keyOf(topic, partition, last === undefined ? from : last.stored.offset + 1), reader);
    return found.map(({ stored }) => stored);
  }

  /** Forgets those of a topic that has gone. */
  drop(topic: string): void {
    for (const readers of this.#kept.values())
      for (const reader of readers) if (reader.topic === topic) this.#end(reader);
  }

  #take(topic: string, partition: number, from: number): Reader | undefined {
    const key = keyOf(topic, partition, from);
    const readers = this.#kept.get(key);
    const reader = readers?.pop();
    if (readers?.length === 0) this.#kept.delete(key);
    // One that has ended says nothing about one that would be opened now.
    return reader?.over === true ? undefined : reader;
  }

  #keep(key: string, reader: Reader): void {
    const readers = this.#kept.get(key);
    if (readers === undefined) this.#kept.set(key, [reader]);
    else readers.push(reader);
  }

  async #open(topic: string, partition: number, from: number): Promise<Reader> {
    this.#endUnused();
    const channel = await this.#connection.channel();
    const reader: Reader = { topic, channel, ahead: [], usedMs: 0, over: false };
    channel.on('close', () => {
      reader.over = true;
    });
    const onMessage = (found: ConsumeMessage | null): void => {
      if (found === null) this.#end(reader);
      else this.#accept(reader, partition, from, found);
    };
    const options = { arguments: { 'x-stream-offset': from } };
    try {
      await this.#connection.answered(channel.prefetch(mostAhead));
      await this.#connection.answered(
        channel.consume(this.#names.partition(topic, partition), onMessage, options),
      );
    } catch (thrown) {
      this.#end(reader);
      throw rabbitError(thrown);
    }
    return reader;
  }

  #accept(reader: Reader, partition: number, from: number, found: ConsumeMessage): void {
    const { stored } = readMessage(reader.topic, partition, found);
    if (stored === undefined || stored.offset < from) {
      // Taken off at once only where nothing before it waits to be taken.
      if (reader.ahead.length === 0 && offsetOf(found) >= 0) reader.channel.ack(found, true);
      return;
    }
    reader.ahead.push({ stored, from: found });
    if (reader.ahead.length === 1) this.#onAppend(reader.topic);
  }

  #end(reader: Reader): void {
    if (reader.over) return;
    reader.over = true;
    // The end of the connection ends it too.
    reader.channel.close().catch(() => {});
  }

  #endUnused(): void {
    const sinceMs = this.#runtime.clock.nowMs() - unusedAfterMs;
    for (const [key, readers] of this.#kept) {
      for (const reader of readers) if (reader.usedMs < sinceMs) this.#end(reader);
      const left = readers.filter(({ over }) => !over);
      if (left.length === 0) this.#kept.delete(key);
      else this.#kept.set(key, left);
    }
  }
}

function keyOf(topic: string, partition: number, from: number): string {
  return `${topic} ${partition} ${from}`;
}

function ended(topic: string, partition: number): HeddleError {
  const message = `RabbitMQ: the reading of partition ${partition} of ${topic} was ended`;
  return new HeddleError({ code: 'unavailable', reason: 'RABBITMQ_NOT_READY', message, sent: false });
}
