import { type Address, HeddleError, type Runtime } from '@heddle/kernel';
import {
  codeOfHttpStatus,
  endpoint,
  type EndpointTls,
  Fields,
  type HttpRequest,
  wholeBody,
} from '@heddle/wire';
import { authorityOf } from '../../health/probe/authority.ts';
import { ServerGroup } from '../../servers/server-group.ts';

/** A Eureka server. */
export interface EurekaServer extends Address {
  /** Where it stands; servers in one's own zone are asked first. */
  readonly zone?: string;
}

/** How to reach the servers: plain data, but for the TLS source. */
export interface EurekaReach {
  /** Peers that tell each other, at least one. */
  readonly servers: readonly EurekaServer[];
  /** Our own zone. */
  readonly zone?: string | undefined;
  /** Where Eureka is in a server. Default `/eureka`. */
  readonly path?: string | undefined;
  /** For HTTP Basic. */
  readonly credentials?: { readonly user: string; readonly password: string } | undefined;
  readonly tls?: EndpointTls | undefined;
  /** Deadline of each request. Default 6000. */
  readonly timeoutMs?: number | undefined;
}

/** An answer: 404 says that there is no such thing. */
export interface EurekaAnswer {
  readonly found: boolean;
  readonly json: unknown;
  /** Who has answered. */
  readonly from: Address;
}

const largestAnswerBytes = 64 * 1024 * 1024;

/** Asks the servers of one Eureka: those of our zone first, the next one when one fails. */
export class EurekaClient {
  readonly #group: ServerGroup;
  readonly #path: string;
  readonly #authorization: string | undefined;

  constructor(runtime: Runtime, reach: EurekaReach) {
    const { servers, zone, path = '/eureka', credentials, tls, timeoutMs = 6000 } = reach;
    this.#path = path;
    if (credentials !== undefined) {
      const pair = Buffer.from(`${credentials.user}:${credentials.password}`);
      this.#authorization = `Basic ${pair.toString('base64')}`;
    }
    this.#group = new ServerGroup({
      runtime,
      name: 'Eureka',
      addresses: inOrder(servers, zone).map(({ host, port }) => ({ host, port })),
      timeoutMs,
      reach: (address) =>
        endpoint({
          runtime,
          address,
          protocol: 'http1',
          limits: { connections: 16, connectMs: 2000 },
          ...(tls !== undefined && { tls }),
        }),
    });
  }

  get problem(): HeddleError | undefined {
    return this.#group.problem;
  }

  /** `path` begins with a slash. Rejects with `unavailable`, or as the status says; not for 404. */
  ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    json?: unknown,
    timeoutMs?: number,
  ): Promise<EurekaAnswer> {
    const request = (address: Address): HttpRequest => ({
      method,
      scheme: 'http',
      authority: authorityOf(address),
      path: `${this.#path}${path}`,
      fields: this.#fields(json !== undefined),
      body: wholeBody(
        json === undefined ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify(json)),
      ),
    });
    return this.#group.ask(
      request,
      async ({ response: { status, body }, asked: { address: from } }) => {
        const bytes = await body.bytes(largestAnswerBytes);
        if (status === 404) return { found: false, json: undefined, from };
        if (status < 200 || status > 299) throw refused(method, path, status);
        return { found: true, json: readJson(bytes, method, path), from };
      },
      timeoutMs,
    );
  }

  close(): void {
    this.#group.close();
  }

  #fields(hasBody: boolean): Fields {
    const fields = Fields.of({ accept: 'application/json' });
    if (hasBody) fields.append('content-type', 'application/json');
    if (this.#authorization !== undefined) fields.append('authorization', this.#authorization);
    return fields;
  }
}

function inOrder(servers: readonly EurekaServer[], zone: string | undefined): readonly EurekaServer[] {
  const isNear = (server: EurekaServer): boolean => zone !== undefined && server.zone === zone;
  return [...servers.filter(isNear), ...servers.filter((server) => !isNear(server))];
}

function readJson(bytes: Uint8Array, method: string, path: string): unknown {
  if (bytes.byteLength === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    const message = `Eureka, ${method} ${path}: expected JSON, found something else; is this a Eureka server?`;
    throw new HeddleError({ code: 'unavailable', reason: 'NOT_A_REGISTRY', message });
  }
}

function refused(method: string, path: string, status: number): HeddleError {
  const message = `Eureka, ${method} ${path}: status ${status}`;
  const code = status === 500 ? 'unavailable' : codeOfHttpStatus(status);
  return new HeddleError({ code, reason: 'REGISTRY_REFUSED', message });
}
