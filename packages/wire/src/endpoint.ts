import type { Address, Runtime } from '@heddle/kernel';
import type { HttpService } from './message/http.ts';
import { AutoPool } from './pool/auto-pool.ts';
import type { Destination, Dial, EndpointTls } from './pool/dial.ts';
import { dialFor } from './pool/dial.ts';
import { Http1Pool, type Http1PoolLimits, http1PoolLimits } from './pool/http1-pool.ts';
import { Http2Pool, type Http2PoolLimits, http2PoolLimits } from './pool/http2-pool.ts';
import type { EndpointState, StateListener } from './pool/link.ts';
import type { Pool } from './pool/pool.ts';

interface Target {
  readonly runtime: Runtime;
  readonly address: Address;
}

/**
 * What `endpoint` is told. Without `tls`, HTTP/2 is spoken with prior knowledge; with it, the protocol must be agreed
 * on (ALPN), and `auto` takes the one that the server likes: HTTP/1.1 where it does not speak of it.
 */
export type EndpointOptions = Target &
  (
    | { readonly protocol: 'http1'; readonly limits?: Partial<Http1PoolLimits>; readonly tls?: EndpointTls }
    | { readonly protocol: 'http2'; readonly limits?: Partial<Http2PoolLimits>; readonly tls?: EndpointTls }
    | { readonly protocol: 'auto'; readonly limits?: AutoLimits; readonly tls: EndpointTls }
  );

/** Limits for either protocol. */
export interface AutoLimits {
  /** For the handshake that decides too. */
  readonly http1?: Partial<Http1PoolLimits>;
  readonly http2?: Partial<Http2PoolLimits>;
}

/** One address of an upstream, and the connections to it. */
export interface Endpoint {
  /**
   * Sends the request on; with TLS, as one of `https`. Rejects with `unavailable`: `sent: false` where no connection
   * could be had, `sent: true` where one was lost with the request on it; and where TLS finds a peer that is not who it
   * should be with `unauthenticated`, see `Net.connect`. Whether to try again is for the layers above.
   */
  readonly request: HttpService;
  readonly state: EndpointState;
  /** Hears of changes of `state`. Returns a function that stops listening. */
  onState(listener: StateListener): () => void;
  /** Requests whose answer has not fully come. */
  readonly inFlight: number;
  /** Makes a connection before it is needed. Never rejects: what came of it shows in `state`. */
  connect(): Promise<void>;
  /** Takes no new request (`ENDPOINT_CLOSED`, `sent: false`); resolves when none is in flight. */
  drain(): Promise<void>;
  /** Drops all connections and what is on them. */
  close(): void;
}

/** Makes one. It connects when the first request comes. */
export function endpoint(options: EndpointOptions): Endpoint {
  const pool = poolFor(options);
  return {
    request: options.tls === undefined ? pool.request : secured(pool.request),
    get state() {
      return pool.state;
    },
    get inFlight() {
      return pool.inFlight;
    },
    onState: (listener) => pool.onState(listener),
    connect: () => pool.connect(),
    drain: () => pool.drain(),
    close: () => pool.close(),
  };
}

function poolFor(options: EndpointOptions): Pool {
  const { runtime, address, tls } = options;
  const to = (connectMs: number): Destination => ({ runtime, address, tls, connectMs });
  const http1 = (given: Partial<Http1PoolLimits> | undefined, dial?: Dial): Pool => {
    const limits = { ...http1PoolLimits, ...given };
    return new Http1Pool(runtime, limits, dial ?? dialFor('http1', to(limits.connectMs)));
  };
  const http2 = (given: Partial<Http2PoolLimits> | undefined, dial?: Dial): Pool => {
    const limits = { ...http2PoolLimits, ...given };
    return new Http2Pool(runtime, address, limits, dial ?? dialFor('http2', to(limits.connectMs)));
  };
  if (options.protocol === 'http1') return http1(options.limits);
  if (options.protocol === 'http2') return http2(options.limits);
  const { limits = {} } = options;
  const connectMs = limits.http1?.connectMs ?? http1PoolLimits.connectMs;
  return new AutoPool(to(connectMs), (protocol, dial) =>
    protocol === 'http1' ? http1(limits.http1, dial) : http2(limits.http2, dial),
  );
}

/** What is sent through TLS is a request of `https`, whatever it was where it came from. */
function secured(next: HttpService): HttpService {
  return (request, call) =>
    next(request.scheme === 'https' ? request : { ...request, scheme: 'https' }, call);
}
