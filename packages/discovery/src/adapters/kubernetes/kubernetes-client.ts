import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type Body, type Endpoint, endpoint, Fields, type HttpResponse, wholeBody } from '@heddle/wire';
import { decodeJson, encodeJson } from '../../remote/protocol.ts';
import type { KubernetesAccess } from './access.ts';
import { ServerClock } from './server-clock.ts';
import { isGone, refusal } from './status-error.ts';

/** One request to the API server. */
export interface KubernetesRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** How it is asked. */
export interface KubernetesClientOptions {
  readonly runtime: Runtime;
  readonly access: KubernetesAccess;
  /** Deadline of each request, and of the beginning of a watch. */
  readonly timeoutMs: number;
}

const longestAnswerBytes = 64 * 1024 * 1024;

/** A thin client of the API server: JSON, watches, and its time of day. */
export class KubernetesClient {
  readonly clock: ServerClock;
  readonly #options: KubernetesClientOptions;
  #endpoint: Endpoint;
  #closed = false;

  constructor(options: KubernetesClientOptions) {
    this.#options = options;
    this.clock = new ServerClock(options.runtime.clock);
    this.#endpoint = this.#reach();
  }

  /**
   * Asks for JSON. Rejects with the server's refusal (see `refusal`), or with `unavailable` or `deadline_exceeded`. The
   * answer to a removal of what is not there is undefined.
   */
  async ask(request: KubernetesRequest): Promise<unknown> {
    const { runtime, timeoutMs } = this.#options;
    const call = Call.root(runtime, runtime.clock.nowMs() + timeoutMs);
    const limit = this.#limit(call, request);
    try {
      const response = await this.#send(request, call);
      const bytes = await response.body.bytes(longestAnswerBytes);
      if (request.method === 'DELETE' && isGone(response.status)) return undefined;
      if (response.status >= 300) throw refusal(request, response.status, bytes);
      return decodeJson(bytes);
    } catch (thrown) {
      throw this.#broke(call, thrown);
    } finally {
      limit.cancel();
      call.end();
    }
  }

  /** Opens a watch: the deadline covers the time until it begins. Whoever reads the body cancels the call to leave. */
  async stream(request: KubernetesRequest, call: Call): Promise<Body> {
    const limit = this.#limit(call, request);
    try {
      const response = await this.#send(request, call);
      if (response.status === 200) return response.body;
      throw refusal(request, response.status, await response.body.bytes(longestAnswerBytes));
    } catch (thrown) {
      throw this.#broke(call, thrown);
    } finally {
      limit.cancel();
    }
  }

  /** A watch was silent for too long: its connection may be dead without knowing, and would swallow all that follows. */
  reachAnew(): void {
    this.#endpoint.close();
    if (!this.#closed) this.#endpoint = this.#reach();
  }

  close(): void {
    this.#closed = true;
    this.#endpoint.close();
  }

  #reach(): Endpoint {
    const { runtime, access } = this.#options;
    const { address, tls, serverName } = access;
    const limits = { connectMs: 2000, connections: 64 };
    if (tls === undefined) return endpoint({ runtime, address, protocol: 'http1', limits });
    const named = serverName === undefined ? { source: tls } : { source: tls, serverName };
    return endpoint({
      runtime,
      address,
      protocol: 'auto',
      limits: { http1: limits, http2: limits },
      tls: named,
    });
  }

  #limit(call: Call, { method, path }: KubernetesRequest): { cancel(): void } {
    const { runtime, timeoutMs } = this.#options;
    return runtime.timers.after(timeoutMs, () => {
      const message = `${method} ${path}: the API server did not answer within ${timeoutMs} ms`;
      call.cancel(new HeddleError({ code: 'deadline_exceeded', reason: 'REGISTRY_TIMEOUT', message }));
    });
  }

  async #send(request: KubernetesRequest, call: Call): Promise<HttpResponse> {
    const { access } = this.#options;
    const token = await access.token();
    // An endpoint that cannot connect waits ever longer by itself; whoever asks here has a back-off of his own.
    if (this.#endpoint.state === 'failing') this.reachAnew();
    const { host, port } = access.address;
    const fields = Fields.of({ accept: 'application/json', 'user-agent': 'heddle' });
    if (token !== undefined) fields.append('authorization', `Bearer ${token}`);
    if (request.json !== undefined) fields.append('content-type', contentType(request));
    const query = new URLSearchParams(request.query).toString();
    const response = await this.#endpoint.request(
      {
        method: request.method,
        scheme: access.tls === undefined ? 'http' : 'https',
        authority: `${host.includes(':') ? `[${host}]` : host}:${port}`,
        path: query === '' ? request.path : `${request.path}?${query}`,
        fields,
        body: wholeBody(request.json === undefined ? new Uint8Array(0) : encodeJson(request.json)),
      },
      call,
    );
    this.clock.note(response.fields.get('date'));
    return response;
  }

  #broke(call: Call, thrown: unknown): HeddleError {
    const error = call.cancelled ?? HeddleError.from(thrown);
    if (error.reason === 'REGISTRY_TIMEOUT') this.reachAnew();
    return error;
  }
}

function contentType({ method }: KubernetesRequest): string {
  // Server-side apply takes YAML, which JSON is.
  return method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json';
}
