/** A call, as its client saw it. */
export interface CallRecord {
  readonly id: string;
  /** A `change` has an effect, and is not to be done twice. */
  readonly kind: 'read' | 'change';
  readonly client: string;
  readonly service: string;
  readonly startMs: number;
}

/**
 * What a scenario knows that no program in it can: all calls, and how often each was carried out. It looks at each
 * once, when it happens; the checks then only ask what was found.
 */
export class Ledger {
  readonly #open = new Set<CallRecord>();
  readonly #executions = new Map<string, number>();
  readonly #failedReads: { readonly startMs: number; readonly text: string }[] = [];
  #repeated: string | undefined;
  #unfounded: string | undefined;
  #excuse: (call: CallRecord) => boolean = () => true;
  #unexcused: string | undefined;
  #succeeded = 0;

  begin(call: CallRecord): void {
    this.#open.add(call);
  }

  /** A handler has begun to carry out the call. */
  executed(id: string): void {
    const times = (this.#executions.get(id) ?? 0) + 1;
    this.#executions.set(id, times);
    if (times > 1 && id.startsWith('change')) this.#repeated = `${id} was carried out ${times} times`;
  }

  /** The client has its answer, or an error. */
  end(call: CallRecord, error: string | undefined): void {
    const { id, kind, client, service, startMs } = call;
    this.#open.delete(call);
    if (error === undefined) {
      this.#succeeded++;
      if (!this.#executions.has(id)) this.#unfounded = `${id} was answered, and done by nobody`;
      return;
    }
    const text = `${id} of ${client} to ${service}, begun at ${startMs.toFixed(0)} ms, failed: ${error}`;
    if (kind !== 'read') return;
    this.#failedReads.push({ startMs, text });
    if (!this.#excuse(call)) this.#unexcused ??= text;
  }

  /** Says from now on whether a read that has just failed may do so. */
  excuse(excuse: (call: CallRecord) => boolean): void {
    this.#excuse = excuse;
  }

  /** Throws for a read that failed without an excuse. */
  checkExcused(): void {
    if (this.#unexcused !== undefined) throw new Error(this.#unexcused);
  }

  /** Calls that ended well. */
  get succeeded(): number {
    return this.#succeeded;
  }

  /** Calls that have not ended. */
  get open(): number {
    return this.#open.size;
  }

  /** Throws for a call with an effect that was carried out more than once. */
  checkAtMostOnce(): void {
    if (this.#repeated !== undefined) throw new Error(this.#repeated);
  }

  /** Throws for a call that ended well although nobody carried it out. */
  checkDone(): void {
    if (this.#unfounded !== undefined) throw new Error(this.#unfounded);
  }

  /** Throws for a read that began since `sinceMs` and failed. */
  checkReadsSince(sinceMs: number): void {
    const failed = this.#failedReads.find(({ startMs }) => startMs >= sinceMs);
    if (failed !== undefined) throw new Error(failed.text);
  }
}
