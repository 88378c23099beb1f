import type { TlsMaterial } from '@heddle/kernel';
import type { GatewayConfig } from '@heddle/proxy';
import type { RateAsk, RateVerdict } from '@heddle/traffic';
import type { EngineStatus } from './engines.ts';

/** What an engine serves. */
export interface Serving {
  readonly config: GatewayConfig;
  /** Of the listener; undefined without TLS. */
  readonly tls: TlsMaterial | undefined;
}

/** What a worker can be asked. */
export type Question =
  | { readonly kind: 'status' }
  | { readonly kind: 'metrics' }
  /** A path of `explainService`. */
  | { readonly kind: 'explain'; readonly path: string };

/** What the supervisor tells a worker. */
export type ToWorker =
  | { readonly kind: 'begin'; readonly number: number; readonly serving: Serving }
  | { readonly kind: 'prepare'; readonly number: number; readonly serving: Serving }
  | { readonly kind: 'commit'; readonly number: number }
  | { readonly kind: 'discard'; readonly number: number }
  | { readonly kind: 'renew'; readonly tls: TlsMaterial }
  | { readonly kind: 'leave' }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'taken'; readonly taken: readonly (readonly [id: number, verdict: RateVerdict])[] };

/** A failure on its way between processes. */
export interface ToldError {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
}

/** What a worker tells the supervisor. */
export type ToSupervisor =
  /** It can be told what to serve. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'serving'; readonly number: number; readonly address: { host: string; port: number } }
  | { readonly kind: 'failed'; readonly error: ToldError }
  | { readonly kind: 'prepared'; readonly number: number; readonly error: ToldError | undefined }
  | { readonly kind: 'committed'; readonly number: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'take'; readonly asks: readonly (readonly [id: number, asks: readonly RateAsk[]])[] }
  | { readonly kind: 'release'; readonly ids: readonly number[] };

/** What came of a question. */
export type Answer =
  | { readonly kind: 'status'; readonly status: EngineStatus }
  | { readonly kind: 'text'; readonly status: number; readonly text: string };

/** The other end of a conversation. Messages arrive in order or not at all. */
export interface Channel<In, Out> {
  send(message: Out): void;
  /** Calls back with each message from now on. */
  onMessage(listener: (message: In) => void): void;
}
