import { authorityOf, decodeError, encodeJson, overHttp2, ServerGroup } from '@heddle/discovery/clients';
import type { Address, Call, Runtime } from '@heddle/kernel';
import { type HeldIdentity, type JwtSvid, type Svid, workloadProof } from '@heddle/security/identity';
import { type EndpointTls, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { type ModelAnswer, type ModelQuestion, readAnswer } from './plane-messages.ts';

/** What a plane reaches its control planes by. */
export interface ControlPlaneClientOptions {
  readonly runtime: Runtime;
  /** One is asked until it fails, then the next. */
  readonly addresses: readonly Address[];
  /** How to speak TLS with them; undefined: plaintext. */
  readonly tls?: EndpointTls | undefined;
  /** The bootstrap or service account token of now, for who has no certificate yet. */
  readonly token: () => string;
  /** What it has of now, if it has: it proves more than the token, and longer. */
  readonly held: () => HeldIdentity | undefined;
}

const longestAnswer = 64 * 1024 * 1024;
const certificateMs = 10_000;
/** Beyond what a question may wait. */
const longestAskMs = 90_000;

/** Asks the control planes of a mesh what a workload may: its rules and its certificate. */
export class ControlPlaneClient {
  readonly #options: ControlPlaneClientOptions;
  readonly #servers: ServerGroup;

  constructor(options: ControlPlaneClientOptions) {
    const { runtime, addresses, tls } = options;
    this.#options = options;
    const reach = overHttp2(runtime, tls);
    const name = 'the control plane of the mesh';
    this.#servers = new ServerGroup({ runtime, name, addresses, timeoutMs: longestAskMs, reach });
  }

  /** For `ModelFollower`. */
  readonly model = async (question: ModelQuestion, call: Call): Promise<ModelAnswer> =>
    readAnswer(await this.#post('/v1/mesh/model', question, longestAskMs, call));

  /** For `KeptIdentity`: a certificate for a request in PEM. */
  readonly certificate = async (request: string): Promise<Svid> =>
    (await this.#post('/v1/mesh/certificates', { request }, certificateMs)) as Svid;

  /** For `KeptJwts`: a token that says to an audience who the workload is. */
  readonly jwt = async (audience: readonly string[]): Promise<JwtSvid> =>
    (await this.#post('/v1/mesh/jwts', { audience }, certificateMs)) as JwtSvid;

  close(): void {
    this.#servers.close();
  }

  #post(path: string, content: object, timeoutMs: number, parent?: Call): Promise<unknown> {
    const body = encodeJson(content);
    return this.#servers.ask(
      (address) => this.#request(path, body, address),
      async ({ response }) => {
        const bytes = await response.body.bytes(longestAnswer);
        if (response.status !== 200) throw decodeError(response.status, bytes);
        return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
      },
      timeoutMs,
      parent,
    );
  }

  #request(path: string, body: Uint8Array, address: Address): HttpRequest {
    const { token, held, runtime, tls } = this.#options;
    const wallMs = runtime.clock.wallMs();
    const identity = held();
    const isGood = identity !== undefined && identity.svid.expiresMs > wallMs;
    const authorization = isGood
      ? workloadProof(identity, { method: 'POST', path, body }, wallMs)
      : `Bearer ${token()}`;
    return {
      method: 'POST',
      scheme: tls === undefined ? 'http' : 'https',
      authority: authorityOf(address),
      path,
      fields: Fields.of({ authorization, 'content-type': 'application/json' }),
      body: wholeBody(body),
    };
  }
}
