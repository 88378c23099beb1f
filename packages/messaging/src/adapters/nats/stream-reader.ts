import type { Runtime } from '@heddle/kernel';
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { natsError } from './nats-error.ts';

/** A message of a stream. */
export interface StreamMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Uint8Array;
  header(name: string): string | undefined;
  headerNames(): readonly string[];
}

const pullTimeoutMs = 5000;
const idleNs = 60_000_000_000;

/** Reads one subject of a stream from a sequence on, by a consumer of the server that acknowledges nothing. */
export class StreamReader {
  readonly #nc: NatsConnection;
  readonly #runtime: Runtime;
  readonly #next: string;
  readonly #end: () => Promise<unknown>;
  /** Messages that the server had for us when the consumer was made. */
  readonly pending: number;

  private constructor(
    nc: NatsConnection,
    runtime: Runtime,
    next: string,
    end: () => Promise<unknown>,
    pending: number,
  ) {
    this.#nc = nc;
    this.#runtime = runtime;
    this.#next = next;
    this.#end = end;
    this.pending = pending;
  }

  static async open(
    nc: NatsConnection,
    jsm: JetStreamManager,
    runtime: Runtime,
    place: { readonly stream: string; readonly subject: string; readonly from: number },
  ): Promise<StreamReader> {
    const { stream, subject, from } = place;
    const start =
      from <= 1
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from };
    try {
      const info = await jsm.consumers.add(stream, {
        ack_policy: AckPolicy.None,
        filter_subject: subject,
        inactive_threshold: idleNs,
        mem_storage: true,
        ...start,
      });
      const next = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${info.name}`;
      return new StreamReader(
        nc,
        runtime,
        next,
        () => jsm.consumers.delete(stream, info.name),
        info.num_pending,
      );
    } catch (thrown) {
      throw natsError(thrown);
    }
  }

  /** What is there now, `max` at most. A reader that has rejected is of no use any more. */
  read(max: number): Promise<readonly StreamMessage[]> {
    const inbox = createInbox();
    return new Promise((resolve, reject) => {
      const messages: StreamMessage[] = [];
      const subscription = this.#nc.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null) fail(error);
          else if (isStatus(message)) {
            const code = message.headers?.code ?? 0;
            if (code === 404 || code === 408) done();
            else fail(new Error(`${code} ${message.headers?.description ?? ''}`));
          } else {
            messages.push(readMessage(message));
            // Fewer than asked for end with a status: until then the server may still answer this pull.
            if (messages.length >= max) done();
          }
        },
      });
      const timer = this.#runtime.timers.after(pullTimeoutMs, () => fail(new Error('no answer to a pull')));
      const end = (): void => {
        timer.cancel();
        subscription.unsubscribe();
      };
      const done = (): void => {
        end();
        resolve(messages);
      };
      const fail = (thrown: Error): void => {
        end();
        reject(natsError(thrown));
      };
      try {
        this.#nc.publish(this.#next, JSON.stringify({ batch: max, no_wait: true }), { reply: inbox });
      } catch (thrown) {
        fail(thrown as Error);
      }
    });
  }

  /** Never rejects: a consumer that is not used any more goes by itself. */
  async close(): Promise<void> {
    await this.#end().catch(() => {});
  }
}

/** What is not a message but says something about the pull has no payload and a code. */
function isStatus(message: Msg): boolean {
  return message.data.length === 0 && (message.headers?.code ?? 0) > 0;
}

/** The sequence is in the subject that an acknowledgement would go to. Source: NATS ADR-15. */
function readMessage({ subject, reply, data, headers }: Msg): StreamMessage {
  const parts = (reply ?? '').split('.');
  // `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>…`; newer servers put domain and account before the stream.
  const sequence = Number(parts[parts.length >= 11 ? 7 : 5]);
  return {
    subject,
    sequence,
    // A `Buffer` is a `Uint8Array` with other ideas about `slice`; what the application gets is the plain one.
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    header: (name) => headers?.get(name),
    headerNames: () => headers?.keys() ?? [],
  };
}
