import { type Address, Call, HeddleError, type Runtime, sleep, type Timer } from '@heddle/kernel';
import { endpoint, type EndpointTls } from '@heddle/wire';
import { BiRequestStream, type PayloadSchema, Request } from '../../gen/nacos/nacos_grpc_service_pb.ts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { askGrpc, openGrpc } from '../../servers/grpc-servers.ts';
import { ServerGroup } from '../../servers/server-group.ts';
import { checkAnswer, type NacosAnswer, type NacosMessage, seal, unseal } from './nacos-message.ts';

/** How to open a connection. */
export interface NacosConnectionOptions {
  readonly runtime: Runtime;
  /** Of gRPC. */
  readonly address: Address;
  readonly tls: EndpointTls | undefined;
  readonly namespace: string;
  readonly timeoutMs: number;
  /** Sent with each request. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** The server has sent something of its own accord. */
  readonly onPush: (message: NacosMessage) => void;
  /** The connection has ended: why. */
  readonly onClose: (error: HeddleError) => void;
}

// A server asks a connection that has been silent for 20 s whether it lives.
const aliveMs = 5000;

/**
 * A connection to one server. What is registered and subscribed on it ends with it: so its requests and its stream must
 * go over one and the same HTTP/2 connection, and there is never a second.
 */
export class NacosConnection {
  readonly #options: NacosConnectionOptions;
  readonly #group: ServerGroup;
  readonly #call: Call;
  readonly #outgoing = new Outgoing();
  #alive: Timer | undefined;
  #closed: HeddleError | undefined;
  #ready: (() => void) | undefined;

  /** Only for `open`. */
  constructor(options: NacosConnectionOptions) {
    const { runtime, address, tls, timeoutMs } = options;
    this.#options = options;
    this.#call = Call.root(runtime);
    const limits = { connections: 1, connectMs: timeoutMs };
    this.#group = new ServerGroup({
      runtime,
      name: 'Nacos',
      addresses: [address],
      timeoutMs,
      reach: (to) =>
        endpoint({ runtime, address: to, protocol: 'http2', limits, ...(tls !== undefined && { tls }) }),
    });
  }

  /** Connects, and resolves when the server has said that it knows the connection. */
  static async open(options: NacosConnectionOptions): Promise<NacosConnection> {
    const connection = new NacosConnection(options);
    try {
      await connection.#begin();
      return connection;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      connection.close(error);
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  /** Asks once. Rejects with what the server refuses, `unavailable` or `deadline_exceeded`. */
  async ask(type: string, json: object): Promise<NacosAnswer> {
    if (this.#closed !== undefined) throw this.#closed.with({ sent: false });
    try {
      const headers = await this.#options.headers();
      const answer = await askGrpc(
        this.#group,
        Request.method.request,
        seal(type, { module: 'naming', ...json }, headers),
      );
      const { json: said } = unseal(answer);
      checkAnswer(type, said);
      return said;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      // Whatever comes after the loss of the HTTP/2 connection would go over another one.
      if (
        error.reason === 'CONNECTION_LOST' ||
        (error.code === 'unavailable' && error.reason !== 'REGISTRY_REFUSED')
      )
        this.close(error);
      throw error;
    }
  }

  close(error: HeddleError = dropped()): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#alive?.cancel();
    this.#outgoing.end();
    this.#call.cancel(error);
    this.#call.end();
    this.#group.close();
    this.#options.onClose(error);
  }

  async #begin(): Promise<void> {
    const { namespace, timeoutMs, runtime } = this.#options;
    await this.ask('ServerCheckRequest', {});
    const acknowledged = new Promise<void>((resolve) => {
      this.#ready = resolve;
    });
    const labels = { source: 'sdk', module: 'naming', AppName: 'heddle' };
    const setup = { clientVersion: 'Heddle:v0.1.0', tenant: namespace, labels, abilityTable: {} };
    this.#outgoing.push(seal('ConnectionSetupRequest', setup));
    void this.#listen();
    await Promise.race([
      acknowledged,
      sleep(runtime.timers, timeoutMs, this.#call).then(() => Promise.reject(silent(timeoutMs))),
    ]);
    this.#scheduleAlive();
  }

  async #listen(): Promise<void> {
    try {
      const { messages } = await openGrpc(
        this.#group,
        BiRequestStream.method.requestBiStream,
        this.#outgoing,
        this.#call,
      );
      for await (const message of messages) this.#receive(unseal(message));
      this.close(dropped());
    } catch (thrown) {
      this.close(this.#call.cancelled ?? HeddleError.from(thrown));
    }
  }

  /** Every request of the server is acknowledged, whether we know it or not. */
  #receive(message: NacosMessage): void {
    const { type, json } = message;
    if (type === 'SetupAckRequest') {
      this.#ready?.();
      return;
    }
    const answer = { requestId: json['requestId'], resultCode: 200, success: true };
    this.#outgoing.push(seal(type.replace(/Request$/, 'Response'), answer));
    if (type === 'ConnectResetRequest') this.close(sentAway());
    else this.#options.onPush(message);
  }

  #scheduleAlive(): void {
    const { timers } = this.#options.runtime;
    this.#alive = timers.after(aliveMs, () => {
      this.ask('HealthCheckRequest', {}).then(
        () => this.#closed ?? this.#scheduleAlive(),
        (thrown) => this.close(HeddleError.from(thrown)),
      );
    });
  }
}

/** What is yet to be sent on the stream. */
class Outgoing implements AsyncIterable<MessageInitShape<typeof PayloadSchema>> {
  readonly #waiting: MessageInitShape<typeof PayloadSchema>[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(message: MessageInitShape<typeof PayloadSchema>): void {
    this.#waiting.push(message);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MessageInitShape<typeof PayloadSchema>, void> {
    while (!this.#ended) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function dropped(): HeddleError {
  const message = 'the connection to Nacos has ended';
  return new HeddleError({ code: 'unavailable', reason: 'CONNECTION_LOST', message });
}

function sentAway(): HeddleError {
  const message = 'Nacos has sent the connection away, as it does when it has too many or shuts down';
  return new HeddleError({ code: 'unavailable', reason: 'CONNECTION_LOST', message });
}

function silent(timeoutMs: number): HeddleError {
  const message = `Nacos did not acknowledge the connection within ${timeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'REGISTRY_TIMEOUT', message });
}
