import type { HeddleError } from '@heddle/kernel';

interface Entry {
  readonly startMs: number;
  readonly untilMs: number;
  served: number;
  /** Undefined while it goes on. */
  end: { readonly whole: boolean } | { readonly error: HeddleError } | undefined;
}

/** What clients have sent in streams, what the server has seen of it, and how each ended. */
export class StreamBook {
  readonly #entries = new Map<string, Entry>();
  readonly #open = new Set<string>();
  #succeeded = 0;
  #broken: string | undefined;

  /** Calls that went well. */
  get succeeded(): number {
    return this.#succeeded;
  }

  /** Calls that have not ended. */
  get open(): number {
    return this.#open.size;
  }

  begin(id: string, startMs: number, untilMs: number): void {
    this.#entries.set(id, { startMs, untilMs, served: 0, end: undefined });
    this.#open.add(id);
  }

  /** The server has begun to serve it. */
  served(id: string): void {
    const entry = this.#entry(id);
    entry.served++;
    this.#look(id, entry);
  }

  /** It has an answer that looks whole. */
  answered(id: string, whole: boolean): void {
    this.#end(id, { whole });
    if (whole) this.#succeeded++;
  }

  failed(id: string, error: HeddleError): void {
    this.#end(id, { error });
  }

  /** Throws if an answer was cut, or that of another; if a call was served twice, or served and said to be unsent. */
  checkEach(): void {
    if (this.#broken !== undefined) throw new Error(this.#broken);
  }

  /** Throws for a call that should have ended by now. A moment more is for the end to be told. */
  checkInTime(nowMs: number): void {
    for (const id of this.#open)
      if (nowMs > this.#entry(id).untilMs + 50) throw new Error(`${id} goes on beyond its deadline`);
  }

  /** Throws for a failure of a call that began then or later. */
  checkAllWell(fromMs: number): void {
    for (const [id, { startMs, end }] of this.#entries)
      if (startMs >= fromMs && end !== undefined && 'error' in end)
        throw new Error(`${id} failed in calm weather: ${end.error.reason}: ${end.error.message}`);
  }

  /** Throws for a call that had begun before, and then waited for as long as its patience lasted. */
  checkFoundOut(goneMs: number): void {
    for (const [id, { startMs, untilMs, end }] of this.#entries)
      if (startMs < goneMs && untilMs > goneMs && end !== undefined && 'error' in end)
        if (end.error.code === 'deadline_exceeded')
          throw new Error(`${id} waited for a machine that was gone`);
  }

  /** Throws for a call that has failed since then although it was served. */
  checkNothingLost(fromMs: number): void {
    for (const [id, { startMs, end, served }] of this.#entries)
      if (startMs >= fromMs - 1000 && served > 0 && end !== undefined && 'error' in end)
        throw new Error(`${id} was lost by a server that drained: ${end.error.reason}: ${end.error.message}`);
  }

  #end(id: string, end: NonNullable<Entry['end']>): void {
    const entry = this.#entry(id);
    entry.end = end;
    this.#open.delete(id);
    this.#look(id, entry);
  }

  #look(id: string, { served, end }: Entry): void {
    if (served > 1) this.#broken ??= `${id} was served ${served} times`;
    if (end === undefined) return;
    if ('whole' in end && !end.whole) this.#broken ??= `${id} got something else than it had sent`;
    if ('error' in end && !end.error.sent && served > 0)
      this.#broken ??= `${id} was served, and is said not to have been sent`;
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error(`nobody has begun ${id}`);
    return entry;
  }
}
