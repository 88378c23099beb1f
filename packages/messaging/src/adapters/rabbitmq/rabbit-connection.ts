import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { type Channel, type ChannelModel, type ConfirmChannel, connect, type SocketOptions } from 'amqplib';
import { rabbitError } from './rabbit-error.ts';

/** Where RabbitMQ is, and who we are there. */
export interface RabbitPlace {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Default `/`. */
  readonly vhost?: string;
  /** Speaks TLS, with these. */
  readonly tls?: Omit<SocketOptions, 'timeout' | 'noDelay'>;
}

const connectTimeoutMs = 5000;
const answerTimeoutMs = 10_000;

/**
 * One connection, made when it is needed and again when it was lost. What was made on a connection is lost with it:
 * `generation` says which one it is.
 */
export class RabbitConnection {
  readonly #runtime: Runtime;
  readonly #place: RabbitPlace;
  readonly #heartbeatS: number;
  #opening: Promise<ChannelModel> | undefined;
  #publishing: Promise<ConfirmChannel> | undefined;
  #generation = 0;
  #closed = false;

  /** The server takes us for dead when it has not heard of us for `silenceMs` to twice that. */
  constructor(runtime: Runtime, place: RabbitPlace, silenceMs: number) {
    this.#runtime = runtime;
    this.#place = place;
    this.#heartbeatS = Math.max(1, Math.ceil(silenceMs / 1000));
  }

  /** Grows with each connection. */
  get generation(): number {
    return this.#generation;
  }

  /** A channel that nobody else uses. */
  async channel(): Promise<Channel> {
    const model = await this.#model();
    try {
      const channel = await this.answered(model.createChannel());
      // Whoever asked for what was refused is told by that; without a listener the process would end.
      return channel.on('error', () => {});
    } catch (thrown) {
      throw rabbitError(thrown);
    }
  }

  /** Does something on a channel of its own: a refusal closes the channel, and nobody else's. */
  async do<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.channel();
    try {
      return await this.answered(work(channel));
    } finally {
      await this.answered(channel.close()).catch(() => {});
    }
  }

  /** The channel that is published on. */
  publishing(): Promise<ConfirmChannel> {
    this.#publishing ??= this.#openPublishing().catch((thrown: unknown) => {
      this.#publishing = undefined;
      throw rabbitError(thrown);
    });
    return this.#publishing;
  }

  /** Rejects when there is no answer in time. */
  async answered<T>(answer: Promise<T>): Promise<T> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = this.#runtime.timers.after(answerTimeoutMs, () => reject(noAnswer()));
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      timer?.cancel();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = undefined;
    if (opening !== undefined) await this.answered(opening.then((model) => model.close())).catch(() => {});
  }

  #model(): Promise<ChannelModel> {
    if (this.#closed) return Promise.reject(closed());
    this.#opening ??= this.#open().catch((thrown: unknown) => {
      this.#opening = undefined;
      throw rabbitError(thrown);
    });
    return this.#opening;
  }

  async #open(): Promise<ChannelModel> {
    const { host, port, username, password, vhost = '/', tls } = this.#place;
    // Its own limit is for the socket alone: a server that is starting accepts it and says nothing.
    const connecting = connect(
      {
        protocol: tls === undefined ? 'amqp' : 'amqps',
        hostname: host,
        port,
        username,
        password,
        vhost,
        heartbeat: this.#heartbeatS,
      },
      { timeout: connectTimeoutMs, noDelay: true, ...tls },
    );
    const model = await this.answered(connecting).catch((thrown: unknown) => {
      void connecting.then((late) => late.close()).catch(() => {});
      throw thrown;
    });
    this.#generation += 1;
    const lost = (): void => {
      this.#opening = undefined;
      this.#publishing = undefined;
    };
    // Errors are followed by a close, and those who wait for answers are told.
    model.on('error', () => {});
    model.on('close', lost);
    return model;
  }

  async #openPublishing(): Promise<ConfirmChannel> {
    const channel = await this.answered((await this.#model()).createConfirmChannel());
    channel.on('error', () => {});
    channel.on('close', () => {
      this.#publishing = undefined;
    });
    return channel;
  }
}

function noAnswer(): HeddleError {
  const message = `RabbitMQ has not answered within ${answerTimeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'NO_ANSWER', message });
}

function closed(): HeddleError {
  const message = 'the connection to RabbitMQ has been closed';
  return new HeddleError({ code: 'failed_precondition', reason: 'CLOSED', message, sent: false });
}
