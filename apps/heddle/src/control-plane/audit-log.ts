import { createHash } from 'node:crypto';
import { type AppendFile, HeddleError, type Runtime } from '@heddle/kernel';

/** Something that somebody did, or was refused. */
export interface AuditEntry {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly who: string;
  readonly role: string;
  /** E.g. `POST /instances/drain`. */
  readonly action: string;
  readonly target: string;
  /** `ok`, or the reason of the refusal. */
  readonly outcome: string;
  readonly message?: string | undefined;
  /** What was asked for, without secrets. */
  readonly input?: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Of the entry before it: whoever changes one would have to change all after it. */
  readonly previous: string;
  readonly hash: string;
}

/** What is to be noted. */
export type AuditNote = Omit<AuditEntry, 'number' | 'atMs' | 'previous' | 'hash'>;

const file = 'console/audit.ndjson';
const inMemory = 5000;
const longestValue = 20_000;

/**
 * Who did what: a file of lines that only grows, each with the digest of the one before. What is noted is on the disk
 * when `note` resolves.
 */
export class AuditLog {
  readonly #runtime: Runtime;
  readonly #file: AppendFile;
  #newest: AuditEntry[];
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(runtime: Runtime, opened: AppendFile, newest: AuditEntry[]) {
    this.#runtime = runtime;
    this.#file = opened;
    this.#newest = newest;
  }

  /** Reads what there is. A line that was cut off by a crash is dropped; a chain that is broken is said in the log. */
  static async open(runtime: Runtime): Promise<AuditLog> {
    const bytes = (await runtime.disk.read(file)) ?? new Uint8Array(0);
    const whole = bytes.lastIndexOf(10) + 1;
    const opened = await runtime.disk.open(file);
    if (whole < bytes.byteLength) await opened.truncate(whole);
    const lines = new TextDecoder().decode(bytes.subarray(0, whole)).split('\n').filter(Boolean);
    const entries = lines.map(readEntry);
    const broken = firstBroken(entries);
    if (broken !== undefined)
      runtime.log('error', 'the audit log was changed by somebody else', { file, number: broken });
    return new AuditLog(runtime, opened, entries.slice(-inMemory));
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined);
    await this.#file.close();
  }

  note(note: AuditNote): Promise<void> {
    const done = this.#turn.then(() => this.#append(note));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** The newest first, of those that contain the text. */
  find(text: string, limit: number): readonly AuditEntry[] {
    const wanted = text.toLowerCase();
    const fits = (entry: AuditEntry): boolean =>
      wanted === '' || JSON.stringify(entry).toLowerCase().includes(wanted);
    return this.#newest.toReversed().filter(fits).slice(0, limit);
  }

  async #append(note: AuditNote): Promise<void> {
    const last = this.#newest.at(-1);
    const content = {
      number: (last?.number ?? 0) + 1,
      atMs: Math.floor(this.#runtime.clock.wallMs()),
      ...bounded(note),
      previous: last?.hash ?? '',
    };
    const entry: AuditEntry = { ...content, hash: hashOf(content) };
    await this.#file.append(new TextEncoder().encode(`${JSON.stringify(entry)}\n`));
    await this.#file.sync();
    this.#newest.push(entry);
    if (this.#newest.length > inMemory) this.#newest = this.#newest.slice(-inMemory);
  }
}

/** The number of the first entry that does not follow from the one before it; undefined for a whole chain. */
export function firstBroken(entries: readonly AuditEntry[]): number | undefined {
  let previous = entries[0]?.previous ?? '';
  for (const entry of entries) {
    const { hash, ...content } = entry;
    if (entry.previous !== previous || hashOf(content) !== hash) return entry.number;
    previous = hash;
  }
  return undefined;
}

function hashOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url');
}

function bounded(note: AuditNote): AuditNote {
  const short = (value: unknown): unknown => {
    const text = value === undefined ? '' : JSON.stringify(value);
    return text.length > longestValue ? { cut: text.slice(0, longestValue) } : value;
  };
  const { input, before, after, ...others } = note;
  return {
    ...others,
    ...(input !== undefined && { input: short(input) }),
    ...(before !== undefined && { before: short(before) }),
    ...(after !== undefined && { after: short(after) }),
  };
}

function readEntry(line: string): AuditEntry {
  try {
    return JSON.parse(line) as AuditEntry;
  } catch (cause) {
    const message = `${file} in the data folder holds a line that is no JSON`;
    throw new HeddleError({ code: 'data_loss', reason: 'AUDIT_UNREADABLE', message, cause, sent: false });
  }
}
