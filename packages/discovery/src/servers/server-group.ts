import { type Address, Call, type Code, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Endpoint, HttpRequest, HttpResponse } from '@heddle/wire';

/** How to send requests to one address. */
export type Reach = (address: Address) => Pick<Endpoint, 'request' | 'close' | 'state'>;

/** Which server was asked, and by which connections. */
export interface Asked {
  readonly at: number;
  readonly address: Address;
  readonly endpoint: ReturnType<Reach>;
}

/** Who the servers are and how to ask them. */
export interface ServerGroupOptions {
  readonly runtime: Runtime;
  /** What they are, for messages: e.g. `etcd`. */
  readonly name: string;
  /** At least one. They must share their data. */
  readonly addresses: readonly Address[];
  /** Deadline of each request. */
  readonly timeoutMs: number;
  readonly reach: Reach;
}

/** A request, once it is known whom to ask. */
export type RequestFor = (address: Address) => HttpRequest;

/** An answer that has begun, and who gave it. */
export interface Answered {
  readonly response: HttpResponse;
  readonly asked: Asked;
}

/**
 * The servers of one backend. One is asked until it fails; then it is the next one's turn, in the order given. Every
 * request has a deadline of its own.
 */
export class ServerGroup {
  readonly #options: ServerGroupOptions;
  readonly #endpoints: ReturnType<Reach>[];
  #current = 0;
  #problem: HeddleError | undefined;
  #closed = false;

  /** Throws `invalid_argument` / `NO_ADDRESS`. Asks nothing until it is used. */
  constructor(options: ServerGroupOptions) {
    if (options.addresses.length === 0) throw noAddress(options.name);
    this.#options = options;
    this.#endpoints = options.addresses.map(options.reach);
  }

  /** Why the last request failed to reach a server; undefined once one has answered. */
  get problem(): HeddleError | undefined {
    return this.#problem;
  }

  /**
   * One request with its answer, which `read` reads to its end. Rejects as `read` does, or with `unavailable` or
   * `deadline_exceeded`. `timeoutMs`: a deadline, if the group's own is longer. Given up with its `parent`.
   */
  async ask<T>(
    request: RequestFor,
    read: (answered: Answered, call: Call) => Promise<T>,
    timeoutMs: number = this.#options.timeoutMs,
    parent?: Call,
  ): Promise<T> {
    const { runtime } = this.#options;
    const limitMs = Math.min(timeoutMs, this.#options.timeoutMs);
    const endMs = runtime.clock.nowMs() + limitMs;
    const call = parent === undefined ? Call.root(runtime, endMs) : parent.child(endMs);
    const limit = this.#limit(call, limitMs);
    try {
      const answered = await this.#send(request, call);
      return await this.#believing(answered.asked, call, () => read(answered, call));
    } finally {
      limit.cancel();
      call.end();
    }
  }

  /**
   * As `ask`, for an answer that goes on: the deadline covers the time until `begin` has looked at its beginning. The
   * call goes on with the body: whoever reads that cancels the call to leave, and says with `moveOn` if it broke.
   */
  async open<T>(
    request: RequestFor,
    call: Call,
    begin: (answered: Answered) => Promise<T>,
    limitMs: number = this.#options.timeoutMs,
  ): Promise<{ readonly begun: T; readonly asked: Asked }> {
    const limit = this.#limit(call, limitMs);
    try {
      const answered = await this.#send(request, call);
      const begun = await this.#believing(answered.asked, call, () => begin(answered));
      return { begun, asked: answered.asked };
    } finally {
      limit.cancel();
    }
  }

  /**
   * A server has failed: notes why, and makes it the next one's turn, unless another has it already. One that was
   * silent is reached anew: its connection may be dead without knowing, and would swallow all that follows.
   */
  moveOn(error: HeddleError, { at, endpoint }: Asked): void {
    this.#problem = error;
    if (silences.has(error.reason) && this.#endpoints[at] === endpoint) this.#reachAnew(at);
    if (this.#current === at) this.#current = (at + 1) % this.#endpoints.length;
  }

  /** A stream has brought something. */
  noteAnswer(): void {
    this.#problem = undefined;
  }

  close(): void {
    this.#closed = true;
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  #reachAnew(at: number): void {
    const address = this.#options.addresses[at];
    if (this.#closed || address === undefined) return;
    this.#endpoints[at]?.close();
    this.#endpoints[at] = this.#options.reach(address);
  }

  #limit(call: Call, limitMs: number): Timer {
    return this.#options.runtime.timers.after(limitMs, () => {
      const message = `${this.#options.name} did not answer within ${limitMs} ms`;
      call.cancel(new HeddleError({ code: 'deadline_exceeded', reason: 'REGISTRY_TIMEOUT', message }));
    });
  }

  /** Tries the next server at once where the request provably reached none; each server at most once. */
  async #send(request: RequestFor, call: Call): Promise<Answered> {
    let wasReplaced = false;
    for (let tried = 1; ; tried++) {
      const asked = this.#next();
      try {
        return { response: await asked.endpoint.request(request(asked.address), call), asked };
      } catch (thrown) {
        // What cancelled the call is why it failed, whatever the engine makes of that.
        const error = call.cancelled ?? HeddleError.from(thrown);
        // Another has found it silent and closed its connections under us: once, that says nothing about the server.
        if (!wasReplaced && error.reason === 'ENDPOINT_CLOSED' && this.#isReplaced(asked)) {
          wasReplaced = true;
          tried -= 1;
          continue;
        }
        this.moveOn(error, asked);
        if (error.sent || tried >= this.#endpoints.length) throw error;
      }
    }
  }

  #isReplaced({ at, endpoint }: Asked): boolean {
    return !this.#closed && this.#endpoints[at] !== endpoint;
  }

  #next(): Asked {
    const at = this.#current;
    // An endpoint that cannot connect waits ever longer by itself; whoever asks here has a back-off of his own.
    if (this.#endpoints[at]?.state === 'failing') this.#reachAnew(at);
    const endpoint = this.#endpoints[at];
    const address = this.#options.addresses[at];
    if (endpoint === undefined || address === undefined) throw noAddress(this.#options.name);
    return { at, address, endpoint };
  }

  /** Runs what reads an answer. The server is well, unless that fails for another reason than a fair refusal. */
  async #believing<T>(asked: Asked, call: Call, read: () => Promise<T>): Promise<T> {
    try {
      const value = await read();
      this.#problem = undefined;
      return value;
    } catch (thrown) {
      const error = call.cancelled ?? HeddleError.from(thrown);
      if (isFairRefusal(error)) this.#problem = undefined;
      else this.moveOn(error, asked);
      throw error;
    }
  }
}

/** Whether this is what a server that is there and well may answer. */
export function isFairRefusal(error: HeddleError): boolean {
  return fairRefusals.has(error.code);
}

/** Reasons that say that nothing has come, which a broken connection would explain. */
const silences: ReadonlySet<string> = new Set(['REGISTRY_TIMEOUT', 'WATCH_SILENT']);

const fairRefusals: ReadonlySet<Code> = new Set<Code>([
  'invalid_argument',
  'not_found',
  'already_exists',
  'failed_precondition',
  'aborted',
  'out_of_range',
]);

function noAddress(name: string): HeddleError {
  const message = `expected at least one address of ${name}, found none`;
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_ADDRESS', message, sent: false });
}
