import { type Address, type Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type Body, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { authorityOf } from '../health/probe/authority.ts';
import { type Asked, type Reach, ServerGroup } from '../servers/server-group.ts';
import { decodeError, decodeJson, encodeJson, positionOf } from './protocol.ts';

/** Who the servers are and how to ask them. */
export interface RegistryServersOptions {
  readonly runtime: Runtime;
  readonly addresses: readonly Address[];
  readonly token: string | undefined;
  /** The scheme that requests name. */
  readonly scheme: 'http' | 'https';
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
 * The servers of one registry, asked in its protocol. Answers from a term before the newest that was seen are refused:
 * time does not go back.
 */
export class RegistryServers {
  readonly #group: ServerGroup;
  readonly #token: string | undefined;
  readonly #scheme: 'http' | 'https';
  #newestTerm = 0;

  constructor({ token, scheme, ...options }: RegistryServersOptions) {
    this.#group = new ServerGroup({ ...options, name: 'the registry' });
    this.#token = token;
    this.#scheme = scheme;
  }

  /** Why the last request failed to reach a registry; undefined once one has answered. */
  get problem(): HeddleError | undefined {
    return this.#group.problem;
  }

  /** Asks for JSON. Rejects with the registry's own error, or `unavailable` or `deadline_exceeded`. */
  ask(question: Question): Promise<unknown> {
    return this.#group.ask(
      (address) => this.#requestTo(address, question),
      async ({ response }) => {
        const bytes = await response.body.bytes(longestAnswerBytes);
        if (response.status !== 200) throw decodeError(response.status, bytes);
        const value = decodeJson(bytes);
        this.checkTerm(value);
        return value;
      },
      question.timeoutMs,
    );
  }

  /** Asks for a stream; see `ServerGroup.open`. */
  async stream(question: Question, call: Call): Promise<{ body: Body; asked: Asked }> {
    const request = (address: Address): HttpRequest => this.#requestTo(address, question);
    const { begun, asked } = await this.#group.open(request, call, async ({ response }) => {
      if (response.status === 200) return response.body;
      throw decodeError(response.status, await response.body.bytes(longestAnswerBytes));
    });
    return { body: begun, asked };
  }

  /** Throws `unavailable` for an answer that is none, or from a term that is over. */
  checkTerm(answer: unknown): void {
    const position = positionOf(answer);
    if (position === undefined) throw notARegistry();
    if (position.term < this.#newestTerm) throw staleRegistry(position.term, this.#newestTerm);
    this.#newestTerm = position.term;
  }

  /** See `ServerGroup.moveOn`. */
  moveOn(error: HeddleError, asked: Asked): void {
    this.#group.moveOn(error, asked);
  }

  /** A stream has brought something. */
  noteAnswer(): void {
    this.#group.noteAnswer();
  }

  close(): void {
    this.#group.close();
  }

  #requestTo(address: Address, { method, path, json }: Question): HttpRequest {
    const fields = Fields.of({ accept: 'application/json' });
    if (this.#token !== undefined) fields.append('authorization', `Bearer ${this.#token}`);
    if (json !== undefined) fields.append('content-type', 'application/json');
    return {
      method,
      scheme: this.#scheme,
      authority: authorityOf(address),
      path,
      fields,
      body: wholeBody(json === undefined ? new Uint8Array(0) : encodeJson(json)),
    };
  }
}

function notARegistry(): HeddleError {
  const message = 'expected an answer with a term and a revision, found another; is this a registry server?';
  return new HeddleError({ code: 'unavailable', reason: 'NOT_A_REGISTRY', message });
}

function staleRegistry(term: number, newest: number): HeddleError {
  const message = `the server answers from term ${term}, but ${newest} was seen already: it is behind, and not believed`;
  return new HeddleError({ code: 'unavailable', reason: 'STALE_REGISTRY', message });
}
