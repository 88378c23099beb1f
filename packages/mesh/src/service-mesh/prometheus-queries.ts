import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, type Endpoint, endpoint, Fields } from '@heddle/wire';

/** A value of an instant query, with the labels that tell it from the others. */
export interface QueriedValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Whoever answers PromQL. */
export interface MetricSource {
  /** The values of an instant query; what is no number is left out. Rejects with `unavailable` / `NOT_MEASURED`. */
  query(promql: string): Promise<readonly QueriedValue[]>;
}

const askMs = 10_000;
const longestAnswerBytes = 4 * 1024 * 1024;

/** Asks a Prometheus, or what speaks its API. */
export class PrometheusQueries implements MetricSource {
  readonly #runtime: Runtime;
  readonly #endpoint: Endpoint;
  readonly #authority: string;
  readonly #base: string;

  /** `url`: `http://host:port`, with a path before `/api/v1` where there is one. Throws `invalid_argument` / `BAD_URL`. */
  constructor(url: string, runtime: Runtime) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== 'http:') {
      const message = `expected http://host:port of a Prometheus, found "${url}"`;
      throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_URL', message, sent: false });
    }
    this.#runtime = runtime;
    this.#authority = parsed.host;
    this.#base = parsed.pathname.replace(/\/$/, '');
    const address = { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port || 80) };
    this.#endpoint = endpoint({ runtime, address, protocol: 'http1' });
  }

  async query(promql: string): Promise<readonly QueriedValue[]> {
    const { clock, timers } = this.#runtime;
    const call = Call.root(this.#runtime, clock.nowMs() + askMs);
    const limit = timers.after(askMs, () => call.cancel(unmeasured(`no answer within ${askMs} ms`)));
    const request = {
      method: 'GET',
      scheme: 'http',
      authority: this.#authority,
      path: `${this.#base}/api/v1/query?${new URLSearchParams({ query: promql }).toString()}`,
      fields: new Fields(),
      body: emptyBody,
    } as const;
    try {
      const result = await settle(this.#endpoint.request, request, call);
      if (!result.ok) throw unmeasured(result.error.message);
      const text = new TextDecoder().decode(await result.value.body.bytes(longestAnswerBytes));
      if (result.value.status !== 200) throw unmeasured(`${result.value.status}: ${text.slice(0, 200)}`);
      return valuesOf(text);
    } finally {
      limit.cancel();
    }
  }

  close(): void {
    this.#endpoint.close();
  }
}

interface QueryAnswer {
  readonly data?: {
    readonly result?: readonly {
      readonly metric?: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
    }[];
  };
}

function valuesOf(text: string): readonly QueriedValue[] {
  let answer: QueryAnswer;
  try {
    answer = JSON.parse(text) as QueryAnswer;
  } catch {
    throw unmeasured(`the answer is no JSON: ${text.slice(0, 100)}`);
  }
  return (answer.data?.result ?? []).flatMap(({ metric: labels = {}, value }) => {
    const number = Number(value?.[1] ?? Number.NaN);
    return Number.isFinite(number) ? [{ labels, value: number }] : [];
  });
}

function unmeasured(message: string): HeddleError {
  return new HeddleError({
    code: 'unavailable',
    reason: 'NOT_MEASURED',
    message: `Prometheus: ${message}`,
    sent: false,
  });
}
