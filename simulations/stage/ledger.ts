/** How a call ended, as its client saw it. */
export interface CallRecord {
  readonly id: string;
  readonly kind: 'read' | 'change';
  readonly client: string;
  readonly service: string;
  readonly startMs: number;
  endMs: number | undefined;
  /** Undefined while it runs and after success. */
  error: string | undefined;
}

/** What a scenario knows that no program in it can: all calls, and how often each was carried out. */
export class Ledger {
  readonly #calls: CallRecord[] = [];
  readonly #executions = new Map<string, number>();

  begin(call: Pick<CallRecord, 'id' | 'kind' | 'client' | 'service' | 'startMs'>): CallRecord {
    const record: CallRecord = { ...call, endMs: undefined, error: undefined };
    this.#calls.push(record);
    return record;
  }

  /** A handler has begun to carry out the call. */
  executed(id: string): void {
    this.#executions.set(id, (this.#executions.get(id) ?? 0) + 1);
  }

  /** Calls that ended well. */
  get succeeded(): number {
    return this.#calls.filter(({ endMs, error }) => endMs !== undefined && error === undefined).length;
  }

  /** Throws for a call with an effect that was carried out more than once. */
  checkAtMostOnce(): void {
    for (const [id, times] of this.#executions) {
      if (times > 1 && id.startsWith('change')) throw new Error(`${id} was carried out ${times} times`);
    }
  }

  /** Throws for a call that ended well although nobody carried it out. */
  checkDone(): void {
    for (const { id, endMs, error } of this.#calls) {
      const done = this.#executions.has(id);
      if (endMs !== undefined && error === undefined && !done)
        throw new Error(`${id} was answered by nobody`);
    }
  }

  /** Throws for a read that began since `sinceMs` and failed. */
  checkReadsSince(sinceMs: number): void {
    for (const { id, kind, client, service, startMs, error } of this.#calls) {
      if (kind !== 'read' || startMs < sinceMs || error === undefined) continue;
      throw new Error(
        `${id} of ${client} to ${service}, begun at ${startMs.toFixed(0)} ms, failed: ${error}`,
      );
    }
  }

  /** Calls that have not ended. */
  get open(): readonly CallRecord[] {
    return this.#calls.filter(({ endMs }) => endMs === undefined);
  }
}
