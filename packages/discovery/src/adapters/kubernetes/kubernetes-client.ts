import type { Address, Call, HeddleError, Runtime } from '@heddle/kernel';
import { type Body, type Endpoint, endpoint, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { authorityOf } from '../../health/probe/authority.ts';
import { decodeJson, encodeJson } from '../../remote/protocol.ts';
import { type Answered, type Asked, ServerGroup } from '../../servers/server-group.ts';
import type { KubernetesAccess } from './access.ts';
import type { KubernetesRequest } from './kubernetes-request.ts';
import { ServerClock } from './server-clock.ts';
import { isGone, refusal } from './status-error.ts';

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
  readonly #access: KubernetesAccess;
  readonly #servers: ServerGroup;

  constructor({ runtime, access, timeoutMs }: KubernetesClientOptions) {
    this.clock = new ServerClock(runtime.clock);
    this.#access = access;
    const reach = (address: Address): Endpoint => reachOf(runtime, access, address);
    const addresses = [access.address];
    this.#servers = new ServerGroup({ runtime, name: 'the API server', addresses, timeoutMs, reach });
  }

  /**
   * Asks for JSON. Rejects with the server's refusal (see `refusal`), or with `unavailable` or `deadline_exceeded`. The
   * answer to a removal of what is not there is undefined.
   */
  async ask(request: KubernetesRequest): Promise<unknown> {
    const made = await this.#made(request);
    return this.#servers.ask(made, async ({ response }) => {
      const { status, fields, body } = response;
      this.clock.note(fields.get('date'));
      const bytes = await body.bytes(longestAnswerBytes);
      if (request.method === 'DELETE' && isGone(status)) return undefined;
      if (status >= 300) throw refusal(request, status, bytes);
      return decodeJson(bytes);
    });
  }

  /** Opens a watch: the deadline covers the time until it begins. Whoever reads the body cancels the call to leave. */
  async stream(request: KubernetesRequest, call: Call): Promise<{ body: Body; asked: Asked }> {
    const begin = async ({ response: { status, fields, body } }: Answered): Promise<Body> => {
      this.clock.note(fields.get('date'));
      if (status === 200) return body;
      throw refusal(request, status, await body.bytes(longestAnswerBytes));
    };
    const { begun, asked } = await this.#servers.open(await this.#made(request), call, begin);
    return { body: begun, asked };
  }

  /** A watch broke that had begun. */
  moveOn(error: HeddleError, asked: Asked): void {
    this.#servers.moveOn(error, asked);
  }

  close(): void {
    this.#servers.close();
  }

  async #made(request: KubernetesRequest): Promise<(address: Address) => HttpRequest> {
    const token = await this.#access.token();
    const fields = Fields.of({ accept: 'application/json', 'user-agent': 'heddle' });
    if (token !== undefined) fields.append('authorization', `Bearer ${token}`);
    if (request.json !== undefined) fields.append('content-type', contentType(request));
    const query = new URLSearchParams(request.query).toString();
    return (address) => ({
      method: request.method,
      scheme: this.#access.tls === undefined ? 'http' : 'https',
      authority: authorityOf(address),
      path: query === '' ? request.path : `${request.path}?${query}`,
      fields,
      body: wholeBody(request.json === undefined ? new Uint8Array(0) : encodeJson(request.json)),
    });
  }
}

function reachOf(runtime: Runtime, { tls, serverName }: KubernetesAccess, address: Address): Endpoint {
  const limits = { connectMs: 2000, connections: 64 };
  if (tls === undefined) return endpoint({ runtime, address, protocol: 'http1', limits });
  const secured = serverName === undefined ? { source: tls } : { source: tls, serverName };
  const both = { http1: limits, http2: limits };
  return endpoint({ runtime, address, protocol: 'auto', limits: both, tls: secured });
}

function contentType({ method }: KubernetesRequest): string {
  // Server-side apply takes YAML, which JSON is.
  return method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json';
}
