import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { JetStreamApiError } from '@nats-io/jetstream';
import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { natsError } from './nats-error.ts';

/** A message for JetStream. */
export interface Outgoing {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
}

type ApiError = ConstructorParameters<typeof JetStreamApiError>[0];

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: HeddleError) => void;
}

// As long as the client of JetStream waits.
const patienceMs = 5000;

/**
 * Publishes into JetStream and waits for its acknowledgements: many at a time, with one inbox for all of them and one
 * timer for those that go together. The client makes a request of each, with a timer and the stacks of two errors that
 * may never happen; that is most of what a publish costs there.
 */
export class Acknowledged {
  readonly #runtime: Runtime;
  readonly #connection: NatsConnection;
  readonly #inbox: string = `${createInbox()}.`;
  readonly #waiting = new Map<string, Waiting>();
  #listening = false;
  #next = 0;

  constructor(runtime: Runtime, connection: NatsConnection) {
    this.#runtime = runtime;
    this.#connection = connection;
    void connection.closed().then((reason) => this.#giveUp(natsError(reason ?? new Error('closed'))));
  }

  /** Sends all, in this order; how it went with each. Never rejects. */
  async publish(all: readonly Outgoing[]): Promise<readonly (HeddleError | undefined)[]> {
    const tokens: string[] = [];
    const sent = all.map(({ subject, payload, headers }) => {
      const token = (this.#next += 1).toString(36);
      tokens.push(token);
      return this.#one(token, () =>
        this.#connection.publish(subject, payload, { headers, reply: `${this.#inbox}${token}` }),
      );
    });
    const timer = this.#later(tokens);
    const answers = await Promise.all(sent);
    timer.cancel();
    return answers;
  }

  #one(token: string, send: () => void): Promise<HeddleError | undefined> {
    return new Promise((resolve) => {
      const waiting = { resolve: () => resolve(undefined), reject: resolve };
      this.#waiting.set(token, waiting);
      try {
        if (!this.#listening) this.#listen();
        send();
      } catch (thrown) {
        this.#waiting.delete(token);
        resolve(natsError(thrown));
      }
    });
  }

  #later(tokens: readonly string[]): Timer {
    return this.#runtime.timers.after(patienceMs, () => {
      for (const token of tokens) this.#settle(token, ({ reject }) => reject(silent()));
    });
  }

  #listen(): void {
    this.#listening = true;
    this.#connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error !== null) {
          this.#listening = false;
          this.#giveUp(natsError(error));
          return;
        }
        this.#settle(message.subject.slice(this.#inbox.length), ({ resolve, reject }) => {
          const refused = refusalOf(message);
          if (refused === undefined) resolve();
          else reject(refused);
        });
      },
    });
  }

  #settle(token: string, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    if (waiting !== undefined) how(waiting);
  }

  #giveUp(error: HeddleError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Undefined for an acknowledgement: it names the stream. */
function refusalOf(message: Msg): HeddleError | undefined {
  if (message.data.length === 0 && message.headers?.code === 503) return nobody();
  try {
    const { stream, error } = message.json<{ readonly stream?: unknown; readonly error?: ApiError }>();
    if (error !== undefined) return natsError(new JetStreamApiError(error));
    if (typeof stream === 'string' && stream !== '') return undefined;
  } catch {
    // Said below.
  }
  return natsError(new Error('the answer to a publish is no acknowledgement'));
}

function nobody(): HeddleError {
  const message = 'NATS: nobody takes this subject: there is no such stream, or JetStream is not there';
  return new HeddleError({ code: 'unavailable', reason: 'NATS_UNREACHABLE', message, sent: false });
}

function silent(): HeddleError {
  const message = `NATS: no acknowledgement within ${patienceMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'NO_ANSWER', message });
}
