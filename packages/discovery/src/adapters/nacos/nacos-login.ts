import { type Address, HeddleError, type Runtime } from '@heddle/kernel';
import { codeOfHttpStatus, endpoint, type EndpointTls, Fields, wholeBody } from '@heddle/wire';
import { authorityOf } from '../../health/probe/authority.ts';
import { ServerGroup } from '../../servers/server-group.ts';

/** Who we are, and whom to tell. */
export interface NacosLoginOptions {
  readonly addresses: readonly Address[];
  readonly credentials?: { readonly user: string; readonly password: string } | undefined;
  readonly tls?: EndpointTls | undefined;
  readonly timeoutMs: number;
}

const largestAnswerBytes = 64 * 1024;

/** A token, got by user and password over HTTP, and got anew in time. */
export class NacosLogin {
  readonly #runtime: Runtime;
  readonly #group: ServerGroup;
  readonly #form: string;
  #token: Promise<string> | undefined;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(runtime: Runtime, { addresses, credentials, tls, timeoutMs }: NacosLoginOptions) {
    this.#runtime = runtime;
    const { user = '', password = '' } = credentials ?? {};
    this.#form = `username=${encodeURIComponent(user)}&password=${encodeURIComponent(password)}`;
    this.#group = new ServerGroup({
      runtime,
      name: 'Nacos',
      addresses,
      timeoutMs,
      reach: (address) =>
        endpoint({
          runtime,
          address,
          protocol: 'http1',
          limits: { connections: 2 },
          ...(tls !== undefined && { tls }),
        }),
    });
  }

  /** What a request has to carry. Rejects with `unauthenticated` / `LOGIN_REFUSED`. */
  async headers(): Promise<Readonly<Record<string, string>>> {
    if (this.#runtime.clock.nowMs() >= this.#untilMs) this.#token = undefined;
    this.#token ??= this.#login();
    try {
      return { accessToken: await this.#token };
    } catch (thrown) {
      this.#token = undefined;
      throw thrown;
    }
  }

  close(): void {
    this.#group.close();
  }

  async #login(): Promise<string> {
    this.#untilMs = Number.POSITIVE_INFINITY;
    const startedMs = this.#runtime.clock.nowMs();
    const body = wholeBody(new TextEncoder().encode(this.#form));
    const fields = Fields.of({
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    });
    const path = '/nacos/v1/auth/login';
    const answer = await this.#group.ask(
      (address) => ({ method: 'POST', scheme: 'http', authority: authorityOf(address), path, fields, body }),
      async ({ response }) => {
        const text = new TextDecoder().decode(await response.body.bytes(largestAnswerBytes));
        if (response.status === 403 || response.status === 401) throw refused();
        if (response.status !== 200) throw unexpected(response.status);
        return JSON.parse(text) as { readonly accessToken?: unknown; readonly tokenTtl?: unknown };
      },
    );
    if (typeof answer.accessToken !== 'string') throw refused();
    // A tenth before its time.
    this.#untilMs = startedMs + Number(answer.tokenTtl ?? 300) * 900;
    return answer.accessToken;
  }
}

function refused(): HeddleError {
  const message = 'Nacos refuses the user or the password';
  return new HeddleError({ code: 'unauthenticated', reason: 'LOGIN_REFUSED', message });
}

function unexpected(status: number): HeddleError {
  const message = `Nacos, login: status ${status}`;
  return new HeddleError({ code: codeOfHttpStatus(status), reason: 'REGISTRY_REFUSED', message });
}
