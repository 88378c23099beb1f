import type { HttpService } from '../message/http.ts';
import type { EndpointState, StateListener } from './link.ts';

/** The connections to one address. */
export interface Pool {
  readonly request: HttpService;
  readonly state: EndpointState;
  /** Requests whose answer has not fully come. */
  readonly inFlight: number;
  /** Hears of changes of `state`. Returns a function that stops listening. */
  onState(listener: StateListener): () => void;
  /** Makes a connection before it is needed. Never rejects: what came of it shows in `state`. */
  connect(): Promise<void>;
  /** Takes no new request (`ENDPOINT_CLOSED`, `sent: false`); resolves when none is in flight. */
  drain(): Promise<void>;
  /** Drops all connections and what is on them. */
  close(): void;
}
