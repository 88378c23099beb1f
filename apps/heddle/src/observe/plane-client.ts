import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, type Endpoint, endpoint, Fields, wholeBody } from '@heddle/wire';
import type { CommandOption, Given } from '../command.ts';
import { readUpState } from '../node/data-folder.ts';
import { readAddress } from '../registry-access.ts';

const askMs = 10_000;
const longestAnswerBytes = 64 * 1024 * 1024;

/** The options of every command that asks a control plane what it has observed. */
export const planeOptions: Readonly<Record<string, CommandOption>> = {
  json: { type: 'boolean', help: 'As JSON' },
  data: { type: 'string', value: 'DIR', help: 'Folder of the running "heddle up"; default .heddle' },
  plane: { type: 'string', value: 'HOST:PORT', help: 'Another control plane' },
};

/** Asks a control plane what it has observed. */
export class PlaneClient {
  readonly #runtime: Runtime;
  readonly #authority: string;
  readonly #endpoint: Endpoint;

  /** The control plane that was named, or that of the running `up`. */
  constructor(given: Given, runtime: Runtime) {
    const named = given.text('plane');
    const place = named ?? new URL(readUpState(given.text('data') ?? '.heddle').console).host;
    const address = readAddress(place, '--plane');
    this.#runtime = runtime;
    this.#authority = place;
    this.#endpoint = endpoint({ runtime, address, protocol: 'http1' });
  }

  /** The JSON at a path; undefined for 404. Rejects with what the control plane says otherwise. */
  async get<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T | undefined> {
    const query = new URLSearchParams(parameters).toString();
    const answer = await this.#ask('GET', query === '' ? path : `${path}?${query}`, new Fields());
    if (answer.status === 404) return undefined;
    return valueOf<T>(answer);
  }

  /** What comes of a request with a body, in the name of who has the token. Rejects with what the control plane says. */
  async post<T>(path: string, body: object, token: string): Promise<T> {
    const fields = Fields.of({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });
    return valueOf<T>(await this.#ask('POST', path, fields, body));
  }

  async #ask(method: 'GET' | 'POST', path: string, fields: Fields, body?: object): Promise<Said> {
    const { clock, timers } = this.#runtime;
    const call = Call.root(this.#runtime, clock.nowMs() + askMs);
    const limit = timers.after(askMs, () => call.cancel(tooSlow()));
    const content =
      body === undefined ? emptyBody : wholeBody(new TextEncoder().encode(JSON.stringify(body)));
    const request = { method, scheme: 'http', authority: this.#authority, path, fields, body: content } as const;
    try {
      const result = await settle(this.#endpoint.request, request, call);
      if (!result.ok) throw result.error;
      const text = new TextDecoder().decode(await result.value.body.bytes(longestAnswerBytes));
      return { status: result.value.status, text };
    } finally {
      limit.cancel();
    }
  }

  close(): void {
    this.#endpoint.close();
  }
}

interface Said {
  readonly status: number;
  readonly text: string;
}

function valueOf<T>({ status, text }: Said): T {
  if (status === 200) return JSON.parse(text) as T;
  const message = `the control plane answered ${status}: ${text.slice(0, 300)}`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'PLANE_REFUSED', message });
}

function tooSlow(): HeddleError {
  const message = `the control plane did not answer within ${askMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'PLANE_TIMEOUT', message });
}
