import { type Address, Call, HeddleError, type Runtime } from '@heddle/kernel';
import {
  type Body,
  type Endpoint,
  type EndpointTls,
  endpoint,
  Fields,
  frame,
  type HttpRequest,
  messagesOf,
  readGrpcStatus,
  streamBody,
} from '@heddle/wire';
import { authorityOf } from '../../health/probe/authority.ts';
import { type Asked, type RequestFor, ServerGroup } from '../../servers/server-group.ts';
import type { AdsProtocol, AdsUpdate } from './ads-protocol.ts';
import { ByteQueue } from './byte-queue.ts';

/** Whom to ask, and how. */
export interface AdsClientOptions {
  readonly runtime: Runtime;
  /** Control planes of one kind, at least one; the next is asked when one fails. */
  readonly addresses: readonly Address[];
  readonly tls?: EndpointTls | undefined;
  readonly token?: string | undefined;
  /** The protocol of a new stream. */
  readonly protocol: () => AdsProtocol;
}

/** Who wants a resource. */
export interface AdsListener {
  /** What it is now. */
  update(assignment: AdsUpdate['assignment']): void;
  /** No more will come: the stream has failed. Subscribing again makes another. */
  fail(error: HeddleError): void;
}

// A control plane that has nothing to say yet need not even begin its answer. As long as a timer can be.
const whileQuietMs = 2 ** 31 - 1;
const longestMessageBytes = 64 * 1024 * 1024;

/** One stream for all resources that are wanted, made when the first is and ended with the last. */
export class AdsClient {
  readonly #options: AdsClientOptions;
  readonly #servers: ServerGroup;
  #stream: AdsStream | undefined;

  constructor(options: AdsClientOptions) {
    const { runtime, addresses, tls } = options;
    const limits = { connections: 1, connectMs: 2000 };
    const secured = tls === undefined ? {} : { tls };
    const reach = (address: Address): Endpoint =>
      endpoint({ runtime, address, protocol: 'http2', limits, ...secured });
    this.#options = options;
    this.#servers = new ServerGroup({
      runtime,
      name: 'the control plane',
      addresses,
      timeoutMs: whileQuietMs,
      reach,
    });
  }

  /** Hears of a resource from now on. Returns a function that ends that. */
  subscribe(name: string, listener: AdsListener): () => void {
    const stream = this.#stream ?? this.#open();
    this.#stream = stream;
    stream.add(name, listener);
    return () => {
      if (stream.remove(name, listener) && this.#stream === stream) this.#end(stream);
    };
  }

  close(): void {
    if (this.#stream !== undefined) this.#end(this.#stream);
    this.#servers.close();
  }

  #end(stream: AdsStream): void {
    this.#stream = undefined;
    stream.end(new HeddleError({ code: 'cancelled', reason: 'WATCH_ENDED', message: 'nobody watches' }));
  }

  #open(): AdsStream {
    const { runtime, tls, token, protocol } = this.#options;
    const fields = Fields.of({ 'content-type': 'application/grpc', te: 'trailers' });
    if (token !== undefined) fields.append('authorization', `Bearer ${token}`);
    const stream = new AdsStream(runtime, protocol());
    const request = (address: Address): HttpRequest => ({
      method: 'POST',
      scheme: tls === undefined ? 'http' : 'https',
      authority: authorityOf(address),
      path: `/envoy.service.discovery.v3.AggregatedDiscoveryService/${stream.method}`,
      fields,
      body: stream.requests,
    });
    void stream.run(this.#servers, request).then((error) => {
      if (this.#stream === stream) this.#stream = undefined;
      stream.end(error);
    });
    return stream;
  }
}

/** One stream, until it fails or nobody wants anything. */
class AdsStream {
  readonly #runtime: Runtime;
  readonly #protocol: AdsProtocol;
  readonly #listeners = new Map<string, Set<AdsListener>>();
  /** What came last, for those who subscribe later. */
  readonly #known = new Map<string, AdsUpdate>();
  readonly #out = new ByteQueue();
  readonly #call: Call;
  #asking = false;

  constructor(runtime: Runtime, protocol: AdsProtocol) {
    this.#runtime = runtime;
    this.#protocol = protocol;
    this.#call = Call.root(runtime);
  }

  /** Of the service. */
  get method(): string {
    return this.#protocol.method;
  }

  /** What we say, message by message. */
  get requests(): Body {
    return streamBody(this.#out.chunks());
  }

  add(name: string, listener: AdsListener): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    const known = this.#known.get(name);
    if (known !== undefined)
      this.#runtime.timers.soon(() => listeners.has(listener) && listener.update(known.assignment));
    this.#ask();
  }

  /** True if that was the last of all. */
  remove(name: string, listener: AdsListener): boolean {
    const listeners = this.#listeners.get(name);
    listeners?.delete(listener);
    if (listeners?.size === 0) {
      this.#listeners.delete(name);
      this.#known.delete(name);
      this.#ask();
    }
    return this.#listeners.size === 0;
  }

  end(error: HeddleError): void {
    const all = [...this.#listeners.values()].flatMap((listeners) => [...listeners]);
    this.#listeners.clear();
    for (const listener of all) listener.fail(error);
    this.#out.end();
    this.#call.cancel(error);
  }

  /** Reads to the end: gives why. */
  async run(servers: ServerGroup, request: RequestFor): Promise<HeddleError> {
    let asked: Asked | undefined;
    try {
      const opened = await servers.open(request, this.#call, ({ response }) => Promise.resolve(response));
      asked = opened.asked;
      const { body, fields, status } = opened.begun;
      for await (const message of messagesOf(body, { limitBytes: longestMessageBytes }))
        this.#receive(message);
      // Without a message the trailers come as the head (Trailers-Only).
      throw readGrpcStatus(body.trailers ?? fields, status) ?? ended();
    } catch (thrown) {
      const error = this.#call.cancelled ?? HeddleError.from(thrown);
      if (asked !== undefined && this.#call.cancelled === undefined) servers.moveOn(error, asked);
      return error;
    } finally {
      this.#call.end();
    }
  }

  /** Many who subscribe in one turn are one request. */
  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#runtime.timers.soon(() => {
      this.#asking = false;
      this.#send(this.#protocol.want(new Set(this.#listeners.keys())));
    });
  }

  #receive(message: Uint8Array): void {
    const { updates, reply, problem } = this.#protocol.receive(message);
    if (problem !== undefined)
      this.#runtime.log('warn', 'the control plane sent what cannot be used; it has been told', { problem });
    this.#send(reply);
    for (const update of updates) {
      const listeners = this.#listeners.get(update.name);
      if (listeners === undefined) continue;
      this.#known.set(update.name, update);
      for (const listener of listeners) listener.update(update.assignment);
    }
  }

  #send(message: Uint8Array | undefined): void {
    if (message !== undefined) this.#out.push(frame(message));
  }
}

function ended(): HeddleError {
  const message = 'the control plane ended the stream, as it does when it shuts down or balances its clients';
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message });
}
