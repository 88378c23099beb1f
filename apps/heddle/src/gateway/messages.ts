import type { RateAsk, RateVerdict } from '@heddle/traffic';
import type { Verdict } from '@heddle/proxy';
import type { EngineStatus } from './engines.ts';
import type { Materials, Serving } from './serving.ts';

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
  | { readonly kind: 'renew'; readonly tls: Materials }
  | { readonly kind: 'leave' }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  /** Of an upstream's instance, as another worker has found out. */
  | { readonly kind: 'verdict'; readonly target: string; readonly verdict: Verdict }
  /** So many more requests may be in flight there; 0: as many as may be are, over all workers. */
  | { readonly kind: 'places'; readonly count: number }
  /** Places that are not used are wanted elsewhere. */
  | { readonly kind: 'recall' }
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
  | { readonly kind: 'verdict'; readonly target: string; readonly verdict: Verdict }
  /** A request waits for a place. */
  | { readonly kind: 'place'; readonly wanted: number }
  /** Places that are not used. */
  | { readonly kind: 'back'; readonly count: number }
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
