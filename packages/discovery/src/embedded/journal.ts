import { type AppendFile, HeddleError, type Runtime } from '@heddle/kernel';
import {
  decodeRecords,
  decodeSnapshot,
  encodeRecords,
  encodeSnapshot,
  type JournalContent,
  type JournalRecord,
  replay,
} from './journal-content.ts';

// Below this, compacting would cost more than reading the journal at the next start.
const leastCompactedBytes = 1024 * 1024;

/** An open journal, and what it held. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly content: JournalContent;
}

/**
 * Opens the journal in `folder`, or begins one, under a new term. A record at the end that was torn by a crash was
 * never confirmed: it is cut off, and the log says so. Damage anywhere else is refused: `data_loss` /
 * `REGISTRY_DAMAGED`. `capture` gives the registry's content at any later moment, for compaction.
 *
 * The term is the time of day, or one more than the last if that is greater (Cassandra's generation number): so it
 * grows even when the folder was wiped in between.
 */
export async function openJournal(
  runtime: Runtime,
  folder: string,
  capture: () => JournalContent,
): Promise<OpenedJournal> {
  const { disk, clock, log } = runtime;
  const snapshotPath = `${folder}/snapshot`;
  const journalPath = `${folder}/journal`;
  const snapshot = await disk.read(snapshotPath);
  const journalBytes = (await disk.read(journalPath)) ?? new Uint8Array(0);
  const start =
    snapshot === undefined ? { term: 0, revision: 0, leased: [] } : decodeSnapshot(snapshotPath, snapshot);
  const { records, goodBytes } = decodeRecords(journalPath, journalBytes);
  const tornBytes = journalBytes.byteLength - goodBytes;
  if (tornBytes > 0)
    log('warn', 'the registry journal ended in a torn record, which is cut off', { folder, tornBytes });
  const restored = replay(journalPath, start, records);
  const content = { ...restored, term: Math.max(start.term + 1, Math.floor(clock.wallMs())) };
  const journal = new Journal(runtime, snapshotPath, await disk.open(journalPath), capture);
  await journal.begin(content);
  return { journal, content };
}

/**
 * The registry's memory: a snapshot and a journal of what came after. Writes are gathered: all that is appended while
 * one write is under way goes to disk with the next, in one frame and one sync.
 *
 * When the disk fails, the registry goes on from memory, since callers need their endpoints more than they need them
 * durable: `problem` says so, and `compact`, tried again by the owner, mends it.
 */
export class Journal {
  readonly #runtime: Runtime;
  readonly #snapshotPath: string;
  readonly #file: AppendFile;
  readonly #capture: () => JournalContent;
  #pending: JournalRecord[] = [];
  /** Resolved when what is pending has been written. */
  #batch = Promise.withResolvers<void>();
  #compacting = false;
  #working: Promise<void> | undefined;
  #snapshotBytes = 0;
  #problem: HeddleError | undefined;

  constructor(runtime: Runtime, snapshotPath: string, file: AppendFile, capture: () => JournalContent) {
    this.#runtime = runtime;
    this.#snapshotPath = snapshotPath;
    this.#file = file;
    this.#capture = capture;
  }

  /** Why what was appended is not durable; undefined when it is. */
  get problem(): HeddleError | undefined {
    return this.#problem;
  }

  /** Makes `content` the start. Called once, before anything is appended. */
  async begin(content: JournalContent): Promise<void> {
    await this.#rewrite(content);
  }

  /** Resolves when the record is durable, or when that has failed, which `problem` then says. Never rejects. */
  append(record: JournalRecord): Promise<void> {
    this.#pending.push(record);
    const { promise } = this.#batch;
    void this.#work();
    return promise;
  }

  /** Writes a snapshot of all and empties the journal, also when it was broken. Never rejects: see `problem`. */
  compact(): Promise<void> {
    this.#compacting = true;
    return this.#work();
  }

  /** Writes what is pending and lets go of the file. */
  async close(): Promise<void> {
    await this.#working;
    await this.#file.close();
  }

  /** One worker at a time; whoever comes while it runs is served before it ends. */
  #work(): Promise<void> {
    this.#working ??= this.#drain().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #drain(): Promise<void> {
    // Gives the rest of this turn's records the chance to come along.
    await Promise.resolve();
    while (this.#compacting || this.#pending.length > 0) {
      try {
        await (this.#compacting ? this.#compactNow() : this.#appendNow());
      } catch (thrown) {
        this.#fail(HeddleError.from(thrown));
      }
    }
  }

  async #appendNow(): Promise<void> {
    const records = this.#pending;
    const { resolve } = this.#batch;
    this.#pending = [];
    this.#batch = Promise.withResolvers();
    try {
      // After a failed write the file's end is unknown; the next snapshot holds these records too.
      if (this.#problem !== undefined) return;
      await this.#file.append(encodeRecords(records));
      await this.#file.sync();
    } finally {
      resolve();
    }
    if (this.#file.size > Math.max(leastCompactedBytes, 2 * this.#snapshotBytes)) this.#compacting = true;
  }

  async #compactNow(): Promise<void> {
    this.#compacting = false;
    await this.#rewrite(this.#capture());
    if (this.#problem !== undefined) this.#runtime.log('info', 'the registry is durable again', {});
    this.#problem = undefined;
  }

  /** A crash between the two steps leaves records that the snapshot already has: they are skipped when read. */
  async #rewrite(content: JournalContent): Promise<void> {
    const pieces: Uint8Array[] = [];
    for (const piece of encodeSnapshot(content)) {
      pieces.push(piece);
      // Encoding a large registry takes long: let heartbeats through.
      await new Promise<void>((resolve) => this.#runtime.timers.soon(resolve));
    }
    const bytes = joined(pieces);
    await this.#runtime.disk.replace(this.#snapshotPath, bytes);
    this.#snapshotBytes = bytes.byteLength;
    await this.#file.truncate(0);
    await this.#file.sync();
  }

  #fail(error: HeddleError): void {
    if (this.#problem === undefined) {
      this.#runtime.log('error', 'the registry cannot write to its disk and goes on from memory', { error });
    }
    this.#problem = error;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}
