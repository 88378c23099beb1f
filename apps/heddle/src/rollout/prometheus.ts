import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, type Endpoint, endpoint, Fields } from '@heddle/wire';
import { usageError } from '../command.ts';

const askMs = 10_000;
const longestAnswerBytes = 4 * 1024 * 1024;

/** Asks a Prometheus, or what speaks its API, for single numbers. */
export class Prometheus {
  readonly #runtime: Runtime;
  readonly #endpoint: Endpoint;
  readonly #authority: string;
  readonly #base: string;

  /** `url`: `http://host:port`, with a path before `/api/v1` where there is one. */
  constructor(url: string, runtime: Runtime) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== 'http:')
      throw usageError(`--prometheus expects http://host:port, found "${url}"`);
    this.#runtime = runtime;
    this.#authority = parsed.host;
    this.#base = parsed.pathname.replace(/\/$/, '');
    const address = { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port || 80) };
    this.#endpoint = endpoint({ runtime, address, protocol: 'http1' });
  }

  /** The value of an instant query of one series; undefined where there is none or it is no number. */
  async number(query: string): Promise<number | undefined> {
    const { clock, timers } = this.#runtime;
    const call = Call.root(this.#runtime, clock.nowMs() + askMs);
    const limit = timers.after(askMs, () => call.cancel(unanswered(`no answer within ${askMs} ms`)));
    const request = {
      method: 'GET',
      scheme: 'http',
      authority: this.#authority,
      path: `${this.#base}/api/v1/query?${new URLSearchParams({ query }).toString()}`,
      fields: new Fields(),
      body: emptyBody,
    } as const;
    try {
      const result = await settle(this.#endpoint.request, request, call);
      if (!result.ok) throw result.error;
      const text = new TextDecoder().decode(await result.value.body.bytes(longestAnswerBytes));
      if (result.value.status !== 200) throw unanswered(`${result.value.status}: ${text.slice(0, 200)}`);
      return numberOf(text, query);
    } finally {
      limit.cancel();
    }
  }

  close(): void {
    this.#endpoint.close();
  }
}

interface QueryAnswer {
  readonly data?: { readonly result?: readonly { readonly value?: readonly [number, string] }[] };
}

function numberOf(text: string, query: string): number | undefined {
  const result = (JSON.parse(text) as QueryAnswer).data?.result ?? [];
  if (result.length > 1) throw unanswered(`${query} gives ${result.length} series, one is expected`);
  const value = Number(result[0]?.value?.[1] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

function unanswered(message: string): HeddleError {
  return new HeddleError({ code: 'unavailable', reason: 'NOT_MEASURED', message, sent: false });
}
