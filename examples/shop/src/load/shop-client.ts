import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { Fields, type HttpService, wholeBody } from '@heddle/wire';
import type { Tally } from './tally.ts';

/** An answer with its JSON; undefined where there was none. */
export interface ShopAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const mostBytes = 1024 * 1024;
const timeoutMs = 10_000;

/** Asks the shop over HTTP and counts what comes of it. */
export class ShopClient {
  readonly #http: HttpService;
  readonly #runtime: Runtime;
  readonly #tally: Tally;

  constructor(http: HttpService, runtime: Runtime, tally: Tally) {
    this.#http = http;
    this.#runtime = runtime;
    this.#tally = tally;
  }

  get(path: string): Promise<ShopAnswer | undefined> {
    return this.#ask('GET', path, undefined, undefined);
  }

  /** `key` makes a repetition safe. */
  post(path: string, content: object, key: string): Promise<ShopAnswer | undefined> {
    return this.#ask('POST', path, content, key);
  }

  async #ask(method: string, path: string, content?: object, key?: string): Promise<ShopAnswer | undefined> {
    const { clock } = this.#runtime;
    const fields = new Fields();
    if (content !== undefined) fields.append('content-type', 'application/json');
    if (key !== undefined) fields.append('idempotency-key', key);
    const body = wholeBody(new TextEncoder().encode(content === undefined ? '' : JSON.stringify(content)));
    const startMs = clock.nowMs();
    const call = Call.root(this.#runtime, startMs + timeoutMs);
    const exchange: (req: undefined, call: Call) => Promise<ShopAnswer> = async (_, own) => {
      const response = await this.#http({ method, scheme: 'http', authority: '', path, fields, body }, own);
      return { status: response.status, body: parse(await response.body.bytes(mostBytes)) };
    };
    const result = await settle(exchange, undefined, call);
    const tookMs = clock.nowMs() - startMs;
    if (!result.ok) {
      this.#tally.failed(HeddleError.from(result.error).reason, tookMs);
      return undefined;
    }
    this.#tally.answered(result.value.status, tookMs);
    return result.value;
  }
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // The status has been counted; a body that is no JSON has nothing more to say.
    return {};
  }
}
