import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, type Endpoint, endpoint, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import type { CommandOption, Given } from '../command.ts';
import { readUpState } from '../node/data-folder.ts';
import { readPlanePlace } from '../registry-access.ts';

const askMs = 10_000;
const longestAnswerBytes = 64 * 1024 * 1024;

/** The options of every command that asks a control plane what it has observed. */
export const planeOptions: Readonly<Record<string, CommandOption>> = {
  json: { type: 'boolean', help: 'As JSON' },
  data: { type: 'string', value: 'DIR', help: 'Folder of the running "heddle up"; default .heddle' },
  plane: {
    type: 'string',
    value: 'HOST:PORT',
    help: 'Another control plane, https://HOST:PORT where it speaks TLS; its token in HEDDLE_REGISTRY_TOKEN',
  },
};

/** Asks a control plane what it has observed. */
export class PlaneClient {
  readonly #runtime: Runtime;
  readonly #authority: string;
  readonly #scheme: 'http' | 'https';
  readonly #token: string;
  readonly #endpoint: Endpoint;

  /** The control plane that was named, or that of the running `up`. */
  constructor(given: Given, runtime: Runtime) {
    const named = given.text('plane');
    const running = named === undefined ? readUpState(given.text('data') ?? '.heddle') : undefined;
    const { address, authority, tls } = readPlanePlace(named ?? running?.console ?? '', '--plane');
    this.#token = running?.token ?? process.env['HEDDLE_REGISTRY_TOKEN'] ?? '';
    this.#runtime = runtime;
    this.#authority = authority;
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#endpoint = endpoint({ runtime, address, protocol: 'http1', ...(tls !== undefined && { tls }) });
  }

  /** The JSON at a path; undefined for 404. Rejects with what the control plane says otherwise. */
  async get<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T | undefined> {
    const query = new URLSearchParams(parameters).toString();
    const { status, text } = await this.#ask({
      method: 'GET',
      path: query === '' ? path : `${path}?${query}`,
      fields: Fields.of(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
      body: emptyBody,
    });
    if (status === 404) return undefined;
    if (status === 200) return JSON.parse(text) as T;
    throw refused(status, text);
  }

  /**
   * Changes something. Default for `token`: that of the running `up`, or `HEDDLE_REGISTRY_TOKEN`. Rejects as `get`, for
   * 404 too.
   */
  async change<T>(
    method: 'POST' | 'DELETE',
    path: string,
    value?: unknown,
    token: string = this.#token,
  ): Promise<T> {
    const fields = Fields.of({ 'content-type': 'application/json', authorization: `Bearer ${token}` });
    const body = value === undefined ? emptyBody : wholeBody(new TextEncoder().encode(JSON.stringify(value)));
    const { status, text } = await this.#ask({ method, path, fields, body });
    if (status === 200) return JSON.parse(text) as T;
    throw refused(status, text);
  }

  async #ask(asked: Omit<HttpRequest, 'scheme' | 'authority'>): Promise<{ status: number; text: string }> {
    const { clock, timers } = this.#runtime;
    const call = Call.root(this.#runtime, clock.nowMs() + askMs);
    const limit = timers.after(askMs, () => call.cancel(tooSlow()));
    const request: HttpRequest = { ...asked, scheme: this.#scheme, authority: this.#authority };
    try {
      const result = await settle(this.#endpoint.request, request, call);
      if (!result.ok) throw result.error;
      const { status, body } = result.value;
      return { status, text: new TextDecoder().decode(await body.bytes(longestAnswerBytes)) };
    } finally {
      limit.cancel();
    }
  }

  close(): void {
    this.#endpoint.close();
  }
}

function refused(status: number, text: string): HeddleError {
  const message = `the control plane answered ${status}: ${text.slice(0, 300)}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'PLANE_REFUSED', message });
}

function tooSlow(): HeddleError {
  const message = `the control plane did not answer within ${askMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'PLANE_TIMEOUT', message });
}
