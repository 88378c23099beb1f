import { type Address, type Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type EndpointTls, endpoint, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { authorityOf } from '../../health/probe/authority.ts';
import { type Answered, ServerGroup } from '../../servers/server-group.ts';

/** How an agent is reached. */
export interface ConsulClientOptions {
  readonly runtime: Runtime;
  /**
   * The API of the agent on this machine, or of several that may stand in for each other when only reading: a service
   * is registered with one agent, and belongs to it.
   */
  readonly addresses: readonly Address[];
  /** Deadline of each request, beyond the time for which a question may wait for news. */
  readonly timeoutMs: number;
  /** An ACL token. */
  readonly token?: string | undefined;
  /** For Consul Enterprise. The community edition has none: there it is left out, and that is logged once. */
  readonly namespace?: string | undefined;
  readonly tls?: EndpointTls | undefined;
}

/** One request. */
export interface ConsulQuestion {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly timeoutMs?: number;
  /** Stands for the answer where there is nothing (404); without it that is `not_found`. */
  readonly absent?: string;
}

/** An answer of status 200. */
export interface ConsulAnswer {
  readonly text: string;
  /** `X-Consul-Index`; 0 where there is none. */
  readonly index: number;
  /** ACLs are on, and what is not allowed is denied. */
  readonly deniesByDefault: boolean;
}

const longestAnswerBytes = 64 * 1024 * 1024;
/** Each question that waits for news has a connection of its own. An agent takes 200 of a client unless told otherwise. */
const connections = 1024;

/** Consul's HTTP API. Rejects with `unavailable`, `permission_denied`, `not_found` … as the agent answers. */
export class ConsulClient {
  readonly #options: ConsulClientOptions;
  readonly #group: ServerGroup;
  #namespace: string | undefined;

  constructor(options: ConsulClientOptions) {
    const { runtime, addresses, timeoutMs, tls, namespace } = options;
    this.#options = options;
    this.#namespace = namespace;
    const limits = { connections, connectMs: 2000 };
    const reach = (address: Address): ReturnType<typeof endpoint> =>
      endpoint({ runtime, address, protocol: 'http1', limits, ...(tls !== undefined && { tls }) });
    // Questions that wait bring their own, longer limit.
    this.#group = new ServerGroup({ runtime, name: 'Consul', addresses, timeoutMs: longestWaitMs, reach });
    this.timeoutMs = timeoutMs;
  }

  /** Deadline of a question that does not wait. */
  readonly timeoutMs: number;

  /** Given up when the `call` is cancelled. */
  async ask(question: ConsulQuestion, call?: Call): Promise<ConsulAnswer> {
    try {
      return await this.#send(question, call);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (this.#namespace === undefined || error.reason !== 'NO_NAMESPACES') throw error;
      this.#namespace = undefined;
      this.#options.runtime.log('warn', 'this Consul has no namespaces; the one that was given is left out', {
        error: error.message,
      });
      return this.#send(question, call);
    }
  }

  /**
   * A service's entries, by the health API. Consul leaves out what may not be seen, so where nobody may see anything
   * without a right, an empty answer is believed only if the right is there.
   */
  async entries(service: string, more?: Partial<ConsulQuestion>, call?: Call): Promise<ConsulAnswer> {
    const path = `/v1/health/service/${encodeURIComponent(service)}`;
    const answer = await this.ask({ method: 'GET', path, ...more }, call);
    if (answer.deniesByDefault && answer.text.trim() === '[]' && !(await this.#mayRead(service, call)))
      throw failed(
        403,
        `GET ${path}: the agent has ACLs on, and the token, or having none, gives no right to read`,
      );
    return answer;
  }

  async #mayRead(service: string, call: Call | undefined): Promise<boolean> {
    const json = [{ Resource: 'service', Access: 'read', Segment: service }];
    const { text } = await this.ask({ method: 'POST', path: '/v1/internal/acl/authorize', json }, call);
    const [right] = JSON.parse(text) as { Allow?: boolean }[];
    return right?.Allow === true;
  }

  close(): void {
    this.#group.close();
  }

  #send(question: ConsulQuestion, call: Call | undefined): Promise<ConsulAnswer> {
    return this.#group.ask(
      (address) => this.#requestTo(address, question),
      (answered) => read(answered, question),
      question.timeoutMs ?? this.timeoutMs,
      call,
    );
  }

  #requestTo(address: Address, { method, path, query, json }: ConsulQuestion): HttpRequest {
    const fields = Fields.of({ accept: 'application/json' });
    if (this.#options.token !== undefined) fields.append('x-consul-token', this.#options.token);
    const asked = new URLSearchParams(query);
    if (this.#namespace !== undefined) asked.set('ns', this.#namespace);
    const text = asked.toString();
    const body = new TextEncoder().encode(json === undefined ? '' : JSON.stringify(json));
    return {
      method,
      scheme: 'http',
      authority: authorityOf(address),
      path: text === '' ? path : `${path}?${text}`,
      fields,
      body: wholeBody(body),
    };
  }
}

/** Longer than any question waits; Consul itself waits for ten minutes at most. */
const longestWaitMs = 660_000;

async function read({ response }: Answered, { method, path, absent }: ConsulQuestion): Promise<ConsulAnswer> {
  const { status, fields, body } = response;
  const said = new TextDecoder().decode(await body.bytes(longestAnswerBytes));
  const isAbsent = status === 404 && absent !== undefined;
  const text = isAbsent ? absent : said;
  if (status !== 200 && !isAbsent) throw failed(status, `${method} ${path}: ${text.trim()}`);
  // An answer that is empty for want of a right must not pass for an empty service.
  if (fields.get('x-consul-results-filtered-by-acls') === 'true')
    throw failed(403, `${method} ${path}: the token does not allow to see all of the answer`);
  const deniesByDefault = fields.get('x-consul-default-acl-policy') === 'deny';
  return { text, index: Number(fields.get('x-consul-index') ?? 0), deniesByDefault };
}

function failed(status: number, said: string): HeddleError {
  const message = `Consul answered ${status} to ${said.slice(0, 300)}`;
  if (/Consul Enterprise feature|Invalid query parameter: "ns"/.test(said))
    return new HeddleError({ code: 'failed_precondition', reason: 'NO_NAMESPACES', message });
  if (/HTTP request to an HTTPS server/.test(said))
    return new HeddleError({ code: 'unavailable', reason: 'SPEAKS_TLS', message });
  if (status === 401 || /ACL not found/.test(said))
    return new HeddleError({ code: 'unauthenticated', reason: 'TOKEN_REFUSED', message });
  if (status === 403) return new HeddleError({ code: 'permission_denied', reason: 'NOT_ALLOWED', message });
  if (status === 404 || /Unknown (check|service) ID|does not have associated TTL/.test(said))
    return new HeddleError({ code: 'not_found', reason: 'NOT_FOUND', message });
  if (status === 400) return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message });
  return new HeddleError({ code: 'unavailable', reason: 'CONSUL_FAILED', message });
}
