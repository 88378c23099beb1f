import type { Address, Runtime } from '@heddle/kernel';
import type { HttpService } from './message/http.ts';
import { Http1Pool, type Http1PoolLimits, http1PoolLimits } from './pool/http1-pool.ts';
import { Http2Pool, type Http2PoolLimits, http2PoolLimits } from './pool/http2-pool.ts';
import type { EndpointState, StateListener } from './pool/link.ts';

interface Target {
  readonly runtime: Runtime;
  readonly address: Address;
}

/** What `endpoint` is told. HTTP/2 is spoken with prior knowledge. */
export type EndpointOptions = Target &
  (
    | { readonly protocol: 'http1'; readonly limits?: Partial<Http1PoolLimits> }
    | { readonly protocol: 'http2'; readonly limits?: Partial<Http2PoolLimits> }
  );

/** One address of an upstream, and the connections to it. */
export interface Endpoint {
  /**
   * Sends the request on. Rejects with `unavailable`: `sent: false` where no connection could be had, `sent: true`
   * where one was lost with the request on it. Whether to try again is for the layers above.
   */
  readonly request: HttpService;
  readonly state: EndpointState;
  /** Hears of changes of `state`. Returns a function that stops listening. */
  onState(listener: StateListener): () => void;
  /** Requests whose answer has not fully come. */
  readonly inFlight: number;
  /** Takes no new request (`ENDPOINT_CLOSED`, `sent: false`); resolves when none is in flight. */
  drain(): Promise<void>;
  /** Drops all connections and what is on them. */
  close(): void;
}

/** Makes one. It connects when the first request comes. */
export function endpoint(options: EndpointOptions): Endpoint {
  const { runtime, address } = options;
  const pool =
    options.protocol === 'http1'
      ? new Http1Pool(runtime, address, { ...http1PoolLimits, ...options.limits })
      : new Http2Pool(runtime, address, { ...http2PoolLimits, ...options.limits });
  return {
    request: pool.request,
    get state() {
      return pool.link.state;
    },
    get inFlight() {
      return pool.inFlight;
    },
    onState: (listener) => pool.link.onState(listener),
    drain: () => pool.drain(),
    close: () => pool.close(),
  };
}
