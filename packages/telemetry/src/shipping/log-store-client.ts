import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, type Endpoint, endpoint, Fields, wholeBody } from '@heddle/wire';
import { bulkBody, type BulkLine, indexTemplate } from './bulk-document.ts';

const limitMs = 30_000;
const longestAnswer = 32 * 1024 * 1024;
/** Anonymous, and believing the authorities that Node comes with. */
const usualRoots = { current: { identities: [] } };

/** Where the log store is, and how it knows us. */
export interface LogStoreOptions {
  readonly runtime: Runtime;
  /** Of OpenSearch or Elasticsearch, http or https. */
  readonly url: string;
  /** Value of the header `authorization`. */
  readonly authorization?: string | undefined;
  /** What names of indexes begin with. */
  readonly prefix: string;
}

/** What became of the lines of one request. */
export interface BulkOutcome {
  /** Those that are there now, and were not before. */
  readonly kept: number;
  /** Those to be sent again. */
  readonly again: readonly BulkLine[];
  /** Those that it will never take, with its reason. */
  readonly refused: readonly { readonly line: BulkLine; readonly why: string }[];
}

interface BulkAnswer {
  readonly errors: boolean;
  readonly items: readonly Readonly<
    Record<
      string,
      { readonly status: number; readonly error?: { readonly type?: string; readonly reason?: string } }
    >
  >[];
}

/** Speaks to OpenSearch or Elasticsearch. Rejects with `unavailable` / `LOG_STORE` where a request came to nothing. */
export class LogStoreClient {
  readonly #options: LogStoreOptions;
  readonly #endpoint: Endpoint;
  readonly #secure: boolean;
  readonly #host: string;
  readonly #path: string;

  constructor(options: LogStoreOptions) {
    const { protocol, hostname, port, host, pathname } = new URL(options.url);
    this.#options = options;
    this.#secure = protocol === 'https:';
    this.#host = host;
    this.#path = pathname.replace(/\/$/, '');
    this.#endpoint = endpoint({
      runtime: options.runtime,
      address: { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (this.#secure ? 443 : 80)) },
      protocol: 'http1',
      limits: { connections: 1 },
      ...(this.#secure && { tls: { source: usualRoots } }),
    });
  }

  /** Sees that indexes will have our mapping. To be done once before lines are sent. */
  async prepare(): Promise<void> {
    const about = (await this.#ask('GET', '/')) as { version?: { distribution?: string } };
    const flatType = about.version?.distribution === 'opensearch' ? 'flat_object' : 'flattened';
    const { prefix } = this.#options;
    await this.#ask('PUT', `/_index_template/${prefix}`, JSON.stringify(indexTemplate(prefix, flatType)));
  }

  async bulk(lines: readonly BulkLine[]): Promise<BulkOutcome> {
    const answer = (await this.#ask('POST', '/_bulk', bulkBody(lines))) as BulkAnswer;
    if (!answer.errors) return { kept: lines.length, again: [], refused: [] };
    let kept = 0;
    const again: BulkLine[] = [];
    const refused: { readonly line: BulkLine; readonly why: string }[] = [];
    for (const [at, line] of lines.entries()) {
      const { status = 503, error } = answer.items[at]?.['create'] ?? {};
      if (status < 300) kept++;
      // It is there from an earlier try.
      else if (status === 409) continue;
      else if (status === 429 || status >= 500) again.push(line);
      else refused.push({ line, why: `${status} ${error?.type ?? ''}: ${error?.reason ?? ''}` });
    }
    return { kept, again, refused };
  }

  close(): void {
    this.#endpoint.close();
  }

  async #ask(method: string, path: string, content?: string): Promise<unknown> {
    const { runtime, authorization } = this.#options;
    const fields = Fields.of({ accept: 'application/json' });
    if (authorization !== undefined) fields.set('authorization', authorization);
    if (content !== undefined)
      fields.set('content-type', path === '/_bulk' ? 'application/x-ndjson' : 'application/json');
    const call = Call.root(runtime, runtime.clock.nowMs() + limitMs);
    const timer = runtime.timers.after(limitMs, () => call.cancel(failed(`no answer within ${limitMs} ms`)));
    try {
      const request = {
        method,
        scheme: this.#secure ? ('https' as const) : ('http' as const),
        authority: this.#host,
        path: this.#path + path,
        fields,
        body: content === undefined ? emptyBody : wholeBody(new TextEncoder().encode(content)),
      };
      const result = await settle(this.#endpoint.request, request, call);
      if (!result.ok) throw failed(result.error.message);
      const { status, body } = result.value;
      const text = new TextDecoder().decode(await body.bytes(longestAnswer));
      if (status !== 200) throw failed(`it answered ${status}: ${text.slice(0, 300)}`);
      return JSON.parse(text) as unknown;
    } finally {
      timer.cancel();
    }
  }
}

function failed(message: string): HeddleError {
  return new HeddleError({ code: 'unavailable', reason: 'LOG_STORE', message });
}
