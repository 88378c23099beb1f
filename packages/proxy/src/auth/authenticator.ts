import { type Call, HeddleError, type Runtime } from '@heddle/kernel';
import type { Identity } from '@heddle/security';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import type { AuthConfig, AuthMethod, RouteAuth } from './auth-schema.ts';
import { challenged } from './challenge.ts';
import { Login } from './login/login.ts';
import type { KeyPlaces } from './key-place.ts';
import { joined, missing, type Proof } from './proof.ts';
import { apiKeyProof, basicProof, certificateProof, introspectionProof, jwtProof } from './proofs.ts';
import type { Secrets } from './secrets.ts';

export type { Secrets } from './secrets.ts';

/** Knows everybody that a configuration knows. */
export class Authenticator {
  readonly #proofs = new Map<AuthMethod, Proof>();
  /** Of browsers; undefined where the configuration has none. */
  readonly login: Login | undefined;
  /** Where API keys come in. */
  readonly keyPlaces: KeyPlaces;

  /** Throws `failed_precondition` / `MISSING_SECRET` with the name, and what the parts throw. */
  constructor(config: AuthConfig, runtime: Runtime, secrets: Secrets) {
    const { jwt, apiKeys, basic, introspection, oidc, clientCertificates, claimsToFields = [] } = config;
    this.keyPlaces = {
      header: apiKeys?.header ?? 'x-api-key',
      query: apiKeys?.query,
      cookie: apiKeys?.cookie,
    };
    if (jwt !== undefined) this.#proofs.set('jwt', jwtProof(jwt, runtime, secrets));
    if (apiKeys !== undefined) this.#proofs.set('apiKey', apiKeyProof(apiKeys, this.keyPlaces, runtime));
    if (basic !== undefined) this.#proofs.set('basic', basicProof(basic));
    if (introspection !== undefined)
      this.#proofs.set('introspection', introspectionProof(introspection, runtime, secrets));
    if (clientCertificates !== undefined)
      this.#proofs.set('clientCertificate', certificateProof(clientCertificates));
    if (oidc === undefined) return;
    // A session keeps what will be asked for: the first step of each claim that goes to a field, and the tenant.
    const kept = new Set(['tenant', ...claimsToFields.map(([claim]) => claim.split('.')[0] as string)]);
    const login = new Login(oidc, [...kept], runtime, secrets);
    this.login = login;
    this.#proofs.set('oidc', (req, call) => login.identify(req, call));
  }

  /** Who has sent the request, at once where that is known. Throws or rejects with `unauthenticated` where the demand is not met. */
  identify(req: HttpRequest, call: Call, demand: RouteAuth): Identity | Promise<Identity> {
    const { any = [], all } = demand;
    const [only] = any;
    if (all === undefined && only !== undefined && any.length === 1) return this.#proof(only, req, call);
    return this.#severally(req, call, demand);
  }

  async #severally(req: HttpRequest, call: Call, { any, all }: RouteAuth): Promise<Identity> {
    if (all !== undefined) {
      const proved: Identity[] = [];
      for (const method of all) proved.push(await this.#proof(method, req, call));
      return joined(proved);
    }
    let refusal: HeddleError | undefined;
    for (const method of any ?? []) {
      try {
        return await this.#proof(method, req, call);
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        if (error.code !== 'unauthenticated') throw error;
        // What was sent and is wrong says more than what was not sent.
        const isMissing = error.reason === 'NO_CREDENTIALS';
        if (refusal === undefined || (refusal.reason === 'NO_CREDENTIALS' && !isMissing)) refusal = error;
      }
    }
    throw refusal ?? challenged(missing('credentials'), 'Bearer');
  }

  /** What a person gets who has shown nothing where a login would do; undefined for all others. */
  async invitation(
    req: HttpRequest,
    call: Call,
    { any = [], all = [] }: RouteAuth,
    error: HeddleError,
  ): Promise<HttpResponse | undefined> {
    const wouldDo = error.reason === 'NO_CREDENTIALS' && (any.includes('oidc') || all.includes('oidc'));
    return wouldDo ? this.login?.invitation(req, call) : undefined;
  }

  #proof(method: AuthMethod, req: HttpRequest, call: Call): Identity | Promise<Identity> {
    const proof = this.#proofs.get(method);
    if (proof !== undefined) return proof(req, call);
    throw missing(`a proof by ${method}, which this gateway does not know,`);
  }
}
