import type { Runtime } from '@heddle/kernel';
import type { Sql } from '@heddle/sql';
import type { SagaCount } from './metrics.ts';
import type { SagaInput, SagaState, SagaStatus } from './saga-state.ts';

/** A saga as it is stored. */
export interface SagaRow {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly input: unknown;
  readonly state: SagaState;
  readonly correlationId: string;
  readonly epoch: number;
}

/** A saga for people. */
export interface SagaView extends SagaRow {
  readonly status: SagaStatus;
  /** Who is at work on it; undefined while it waits, is parked or has ended. */
  readonly worker: string | undefined;
  readonly begunAt: Date;
  readonly changedAt: Date;
}

/** What was said to a saga, by whom. */
export interface SagaMessage {
  readonly saga: string;
  readonly number: number;
  readonly input: SagaInput;
}

/** A change of a saga. */
export interface SagaChange {
  readonly row: SagaRow;
  readonly dueMs: number | undefined;
  /** False: nobody needs to be at work on it until it is due or spoken to. */
  readonly kept: boolean;
  /** Messages that this change has taken in. */
  readonly taken: readonly number[];
}

/** What a write has stored, by id. */
export interface SagasWritten {
  readonly begun: ReadonlySet<string>;
  readonly saved: ReadonlySet<string>;
}

/** What a wake-up says: that a saga was spoken to, or that it has come to its end. */
export type SagaNews = { readonly id: string; readonly kind: 'said' | 'ended' };

/** Where sagas are durable, for one worker. An operation that resolves is; one that rejects may be, or not. */
export interface SagaKeeper {
  /** Makes what it needs. */
  open(): Promise<void>;
  /** Calls back with what happened to a saga, anywhere; undefined: something may have been missed. */
  listen(runtime: Runtime, onNews: (news: SagaNews | undefined) => void): () => Promise<void>;
  /** Stores sagas that begin, as this worker's. Those that are known already are left alone; ids of the new ones. */
  begin(changes: readonly SagaChange[], sql?: Sql): Promise<ReadonlySet<string>>;
  /**
   * Stores beginnings, as `begin`, and changes of other sagas, in one commit: ids of the new ones, and of those of the
   * changed ones that are still this worker's. The others are left as they are.
   */
  write(begins: readonly SagaChange[], saves: readonly SagaChange[]): Promise<SagasWritten>;
  /** Says that this worker lives. */
  live(leaseMs: number): Promise<void>;
  /** This worker leaves: what it has is free at once. */
  leave(): Promise<void>;
  /**
   * Takes over sagas of these definitions that have something to do and nobody who does it. With `atWork`, its own too
   * that are not among those: an answer may have been lost that said that it has them.
   */
  claim(
    definitions: readonly { readonly name: string; readonly version: number }[],
    nowMs: number,
    most: number,
    atWork?: readonly string[],
  ): Promise<readonly SagaRow[]>;
  /** Says something to a saga: it is stored before it is acted on. */
  say(id: string, input: SagaInput, by: string): Promise<void>;
  /** What was said to these sagas and not yet taken in, in order. */
  said(ids: readonly string[]): Promise<readonly SagaMessage[]>;
  /** Rejects with `not_found` / `NO_SAGA`. */
  get(id: string): Promise<SagaView>;
  /** The newest first. */
  list(options?: {
    readonly status?: SagaStatus;
    readonly name?: string;
    readonly limit?: number;
  }): Promise<readonly SagaView[]>;
  /** How many have not ended, by definition and status; a keeper without it shows none. */
  counts?(): Promise<readonly SagaCount[]>;
  /** What people and systems have said to a saga, in order, taken in or not. */
  audit(id: string): Promise<readonly SagaAudit[]>;
  /** Wakes whoever has these sagas or waits for them. Never rejects. */
  tell(news: readonly SagaNews[]): Promise<void>;
}

/** What was said to a saga, by whom. */
export interface SagaAudit extends SagaMessage {
  readonly by: string;
  readonly at: Date;
  readonly taken: boolean;
}
