import { type Address, Call, type Code, HeddleError, type Runtime } from '@heddle/kernel';
import {
  type Body,
  type Endpoint,
  Fields,
  type HttpRequest,
  type HttpResponse,
  wholeBody,
} from '@heddle/wire';
import { decodeError, decodeJson, encodeJson, positionOf } from './protocol.ts';

/** How to send requests to one address. */
export type Reach = (address: Address) => Pick<Endpoint, 'request' | 'close' | 'state'>;

/** Which server was asked, and by which connections. */
export interface Asked {
  readonly at: number;
  readonly endpoint: ReturnType<Reach>;
}

/** Who the servers are and how to ask them. */
export interface RegistryServersOptions {
  readonly runtime: Runtime;
  readonly addresses: readonly Address[];
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly reach: Reach;
}

/** One request to a registry. */
export interface Question {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly json?: unknown;
  /** Deadline, if the servers' own is longer. */
  readonly timeoutMs?: number;
}

const longestAnswerBytes = 64 * 1024 * 1024;

/**
 * The servers of one registry. One is asked until it fails; then it is the next one's turn, in the order given. Every
 * request has a deadline of its own. Answers from a term before the newest that was seen are refused: time does not
 * go back.
 */
export class RegistryServers {
  readonly #options: RegistryServersOptions;
  readonly #endpoints: ReturnType<Reach>[];
  #current = 0;
  #newestTerm = 0;
  #problem: HeddleError | undefined;
  #closed = false;

  constructor(options: RegistryServersOptions) {
    if (options.addresses.length === 0) throw noAddress();
    this.#options = options;
    this.#endpoints = options.addresses.map(options.reach);
  }

  /** Why the last request failed to reach a registry; undefined once one has answered. */
  get problem(): HeddleError | undefined {
    return this.#problem;
  }

  /** Asks for JSON. Rejects with the registry's own error, or `unavailable` or `deadline_exceeded`. */
  async ask(question: Question): Promise<unknown> {
    const { runtime } = this.#options;
    const call = Call.root(runtime, runtime.clock.nowMs() + this.#timeoutMs(question));
    const limit = this.#limit(call, question);
    try {
      const { response, asked } = await this.#send(question, call);
      return await this.#believing(asked, call, async () => {
        const bytes = await response.body.bytes(longestAnswerBytes);
        if (response.status !== 200) throw decodeError(response.status, bytes);
        const value = decodeJson(bytes);
        this.checkTerm(value);
        return value;
      });
    } finally {
      limit.cancel();
      call.end();
    }
  }

  /**
   * Asks for a stream: the deadline covers the time until it begins. The call goes on with the body: whoever reads
   * that cancels the call to leave, and says with `moveOn(error, asked)` if it broke.
   */
  async stream(question: Question, call: Call): Promise<{ body: Body; asked: Asked }> {
    const limit = this.#limit(call, question);
    try {
      const { response, asked } = await this.#send(question, call);
      const body = await this.#believing(asked, call, async () => {
        if (response.status === 200) return response.body;
        throw decodeError(response.status, await response.body.bytes(longestAnswerBytes));
      });
      return { body, asked };
    } finally {
      limit.cancel();
    }
  }

  /** Throws `unavailable` for an answer that is none, or from a term that is over. */
  checkTerm(answer: unknown): void {
    const position = positionOf(answer);
    if (position === undefined) throw notARegistry();
    if (position.term < this.#newestTerm) throw staleRegistry(position.term, this.#newestTerm);
    this.#newestTerm = position.term;
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

  #timeoutMs(question: Question): number {
    return Math.min(this.#options.timeoutMs, question.timeoutMs ?? Number.POSITIVE_INFINITY);
  }

  #limit(call: Call, question: Question): { cancel(): void } {
    const { method, path } = question;
    const timeoutMs = this.#timeoutMs(question);
    return this.#options.runtime.timers.after(timeoutMs, () => {
      const message = `${method} ${path}: the registry did not answer within ${timeoutMs} ms`;
      call.cancel(new HeddleError({ code: 'deadline_exceeded', reason: 'REGISTRY_TIMEOUT', message }));
    });
  }

  /** Tries the next server at once where the request provably reached none; each server at most once. */
  async #send(question: Question, call: Call): Promise<{ response: HttpResponse; asked: Asked }> {
    for (let tried = 1; ; tried++) {
      const asked = this.#next();
      try {
        return { response: await this.#sendTo(asked, question, call), asked };
      } catch (thrown) {
        // What cancelled the call is why it failed, whatever the engine makes of that.
        const error = call.cancelled ?? HeddleError.from(thrown);
        this.moveOn(error, asked);
        if (error.sent || tried >= this.#endpoints.length) throw error;
      }
    }
  }

  #next(): Asked {
    const at = this.#current;
    // An endpoint that cannot connect waits ever longer by itself; whoever asks here has a back-off of his own.
    if (this.#endpoints[at]?.state === 'failing') this.#reachAnew(at);
    const endpoint = this.#endpoints[at];
    if (endpoint === undefined) throw noAddress();
    return { at, endpoint };
  }

  /** Runs what reads an answer. The server is well, unless that fails for another reason than a fair refusal. */
  async #believing<T>(asked: Asked, call: Call, read: () => Promise<T>): Promise<T> {
    try {
      const value = await read();
      this.#problem = undefined;
      return value;
    } catch (thrown) {
      const error = call.cancelled ?? HeddleError.from(thrown);
      if (fairRefusals.has(error.code)) this.#problem = undefined;
      else this.moveOn(error, asked);
      throw error;
    }
  }

  async #sendTo({ at, endpoint }: Asked, question: Question, call: Call): Promise<HttpResponse> {
    const { method, path, json } = question;
    const address = this.#options.addresses[at];
    if (address === undefined) throw noAddress();
    const fields = Fields.of({ accept: 'application/json' });
    if (this.#options.token !== undefined) fields.append('authorization', `Bearer ${this.#options.token}`);
    if (json !== undefined) fields.append('content-type', 'application/json');
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    const request: HttpRequest = {
      method,
      scheme: 'http',
      authority: `${host}:${address.port}`,
      path,
      fields,
      body: wholeBody(json === undefined ? new Uint8Array(0) : encodeJson(json)),
    };
    return endpoint.request(request, call);
  }
}

/** Reasons that say that nothing has come, which a broken connection would explain. */
const silences: ReadonlySet<string> = new Set(['REGISTRY_TIMEOUT', 'WATCH_SILENT']);

/** What a registry that is there and well may answer. */
const fairRefusals: ReadonlySet<Code> = new Set<Code>([
  'invalid_argument',
  'not_found',
  'already_exists',
  'failed_precondition',
  'aborted',
  'out_of_range',
]);

function noAddress(): HeddleError {
  const message = 'expected at least one address of a registry server, found none';
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_ADDRESS', message, sent: false });
}

function notARegistry(): HeddleError {
  const message = 'expected an answer with a term and a revision, found another; is this a registry server?';
  return new HeddleError({ code: 'unavailable', reason: 'NOT_A_REGISTRY', message });
}

function staleRegistry(term: number, newest: number): HeddleError {
  const message = `the server answers from term ${term}, but ${newest} was seen already: it is behind, and not believed`;
  return new HeddleError({ code: 'unavailable', reason: 'STALE_REGISTRY', message });
}
