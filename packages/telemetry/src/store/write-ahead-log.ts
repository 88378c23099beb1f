import { type AppendFile, type Disk, HeddleError } from '@heddle/kernel';

const headBytes = 9;
const largestRecord = 64 * 1024 * 1024;

/** A record as it was written. */
export interface WalRecord {
  /** What it is: for who writes it to know. 0 to 255. */
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/**
 * What was acknowledged and is not yet in the store, in files that only grow. A record that `append` has resolved for
 * survives the death of the process; a power cut may take what the system had not yet written, unless `sync` is asked for.
 *
 *     record = length (4 bytes) · checksum of the rest (4) · kind (1) · bytes
 */
export class WriteAheadLog {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #sync: boolean;
  #name: string;
  #file: Promise<AppendFile> | undefined;
  #waiting: {
    readonly bytes: Uint8Array;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #writing = false;

  /** `name`: of the first segment; no two may ever be alike. */
  constructor(disk: Disk, folder: string, name: string, sync = false) {
    this.#disk = disk;
    this.#folder = folder;
    this.#name = name;
    this.#sync = sync;
  }

  /** The segment that is written to now. */
  get segment(): string {
    return this.#name;
  }

  /** Those that wait are written together. */
  append(record: WalRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes: framed(record), resolve, reject });
      if (!this.#writing) void this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        this.#file ??= this.#disk.open(`${this.#folder}/${this.#name}`);
        const file = await this.#file;
        await file.append(Buffer.concat(batch.map(({ bytes }) => bytes)));
        if (this.#sync) await file.sync();
        for (const { resolve } of batch) resolve();
      } catch (thrown) {
        for (const { reject } of batch) reject(thrown);
      }
    }
    this.#writing = false;
  }

  /** Goes on in a new segment. To be called when nothing is being appended. */
  async turn(name: string): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#name = name;
    await (await file)?.close();
  }

  /** True while records wait to be written. */
  get busy(): boolean {
    return this.#writing;
  }

  /** Forgets a segment whose records are safe elsewhere. */
  remove(segment: string): Promise<void> {
    return this.#disk.remove(`${this.#folder}/${segment}`);
  }

  /** Segments that earlier processes have left, the oldest first as far as their names tell. */
  segments(): Promise<readonly string[]> {
    return this.#disk.list(this.#folder);
  }

  /** The whole records of a segment; what was torn by a death at its end was never acknowledged. */
  async read(segment: string): Promise<readonly WalRecord[]> {
    const bytes = await this.#disk.read(`${this.#folder}/${segment}`);
    return bytes === undefined ? [] : recordsIn(bytes);
  }

  async close(): Promise<void> {
    await (await this.#file)?.close();
    this.#file = undefined;
  }
}

function framed({ kind, bytes }: WalRecord): Uint8Array {
  if (bytes.byteLength > largestRecord) {
    const message = `expected a record of at most ${largestRecord} bytes, found ${bytes.byteLength}`;
    throw new HeddleError({ code: 'resource_exhausted', reason: 'RECORD_TOO_LARGE', message });
  }
  const record = new Uint8Array(headBytes + bytes.byteLength);
  const view = new DataView(record.buffer);
  view.setUint32(0, bytes.byteLength);
  view.setUint32(4, checksum(kind, bytes));
  record[8] = kind;
  record.set(bytes, headBytes);
  return record;
}

/** All whole records from the beginning on. */
function recordsIn(bytes: Uint8Array): readonly WalRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: WalRecord[] = [];
  for (let at = 0; at + headBytes <= bytes.byteLength; ) {
    const length = view.getUint32(at);
    if (length > largestRecord || at + headBytes + length > bytes.byteLength) break;
    const kind = bytes[at + 8] as number;
    const content = bytes.subarray(at + headBytes, at + headBytes + length);
    if (checksum(kind, content) !== view.getUint32(at + 4)) break;
    records.push({ kind, bytes: content });
    at += headBytes + length;
  }
  return records;
}

/** FNV-1a over four bytes at a time: it is to find torn records, not forged ones. */
function checksum(kind: number, bytes: Uint8Array): number {
  let hash = 0x811c_9dc5 ^ kind;
  const words = bytes.byteLength - (bytes.byteLength % 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < words; at += 4) hash = Math.imul(hash ^ view.getUint32(at, true), 0x0100_0193);
  for (let at = words; at < bytes.byteLength; at++)
    hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
  return hash >>> 0;
}
