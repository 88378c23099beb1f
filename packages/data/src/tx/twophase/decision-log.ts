import type { KnownDecision } from './participant.ts';

/** A decision to commit, and whom it concerns. */
export interface DecidedTx {
  readonly tx: string;
  /** Names of branches and of their participants. */
  readonly branches: Readonly<Record<string, string>>;
}

/** A decision that not everybody has confirmed. */
export interface OpenDecision extends DecidedTx {
  readonly worker: string;
  readonly decidedAt: Date;
}

/**
 * Where decisions are durable, and who may make them. A coordinator decides while its row lives; a row whose lease has
 * ended can be buried by anybody, and from then on its coordinator cannot decide any more: that is what makes it safe to
 * presume an abort.
 */
export interface DecisionLog {
  /** Makes what it needs. Resolves with the id of this log: the same for ever, and different from every other log's. */
  open(): Promise<string>;
  /** A coordinator begins. */
  enter(worker: string, leaseMs: number): Promise<void>;
  /** A coordinator lives. False: it was buried. */
  live(worker: string, leaseMs: number): Promise<boolean>;
  /** A coordinator ends: what it has not decided is aborted. */
  leave(worker: string): Promise<void>;
  /** Stores decisions, if the worker has not been buried; those that are stored, now or before. */
  decide(worker: string, decisions: readonly DecidedTx[]): Promise<ReadonlySet<string>>;
  /** Everybody has confirmed these. */
  done(txs: readonly string[]): Promise<void>;
  /** Says what came of a transaction; buries the worker if its lease has ended. */
  decisionOf(tx: string, worker: string): Promise<KnownDecision>;
  /**
   * Takes over decisions of coordinators whose lease has ended, and buries those; its own too that are not in `atWork`:
   * an answer may have been lost that said that it has them.
   */
  adopt(worker: string, most: number, atWork: readonly string[]): Promise<readonly DecidedTx[]>;
  /** Decisions that not everybody has confirmed, the oldest first. */
  unconfirmed(most: number): Promise<readonly OpenDecision[]>;
  /** Forgets decisions that everybody has confirmed for so long. */
  purge(olderThanMs: number): Promise<void>;
}

/** A transaction's id says which log decides it and who runs it. */
export interface TxName {
  readonly log: string;
  readonly worker: string;
}

/** The parts of a transaction's id; undefined for what is none. */
export function txName(tx: string): TxName | undefined {
  const [log, worker, number, ...more] = tx.split('.');
  if (log === undefined || worker === undefined || number === undefined || more.length > 0) return undefined;
  return { log, worker };
}
