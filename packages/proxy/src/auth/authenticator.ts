import { HeddleError, type Runtime } from '@heddle/kernel';
import {
  ApiKeys,
  BasicUsers,
  fixedKeys,
  type Identity,
  type JwtIssuer,
  JwtVerifier,
  RemoteKeys,
  secretKey,
  unauthenticated,
} from '@heddle/security';
import type { Fields } from '@heddle/wire';
import type { AuthConfig, AuthMethod, IssuerConfig, RouteAuth } from './auth-schema.ts';
import { challenged } from './challenge.ts';
import { fetchText } from './fetch-text.ts';

/** Gives a secret by its name; undefined if there is none. */
export type Secrets = (name: string) => string | undefined;

const longestCredentials = 16_500;

/** Knows everybody that a configuration knows. */
export class Authenticator {
  readonly #jwt: JwtVerifier | undefined;
  readonly #apiKeys: ApiKeys | undefined;
  readonly #basic: BasicUsers | undefined;
  /** The field that API keys come in. */
  readonly keyField: string;

  /** Throws `failed_precondition` / `MISSING_SECRET` with the name, and what the parts throw. */
  constructor({ jwt, apiKeys, basic }: AuthConfig, runtime: Runtime, secrets: Secrets) {
    const { clock } = runtime;
    this.keyField = apiKeys?.header ?? 'x-api-key';
    if (jwt !== undefined)
      this.#jwt = new JwtVerifier(
        jwt.map((each) => issuerOf(each, runtime, secrets)),
        clock,
      );
    if (apiKeys !== undefined) {
      const keys = apiKeys.keys.map(({ id, sha256, roles = [], scopes = [], expires }) => {
        return {
          id,
          sha256,
          roles,
          scopes,
          expiresMs: expires === undefined ? undefined : Date.parse(expires),
        };
      });
      this.#apiKeys = new ApiKeys(keys, clock);
    }
    if (basic !== undefined)
      this.#basic = new BasicUsers(basic.users.map((each) => ({ ...each, roles: each.roles ?? [] })));
  }

  /** Who has sent these fields. Rejects with `unauthenticated` where the demand is not met. */
  async identify(fields: Fields, { any, all }: RouteAuth): Promise<Identity> {
    if (all !== undefined) {
      const proved: Identity[] = [];
      for (const method of all) proved.push(await this.#proof(method, fields));
      return joined(proved);
    }
    let refusal: HeddleError | undefined;
    for (const method of any ?? []) {
      try {
        return await this.#proof(method, fields);
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

  async #proof(method: AuthMethod, fields: Fields): Promise<Identity> {
    switch (method) {
      case 'jwt': {
        const token = scheme(fields, 'bearer');
        if (token === undefined) throw challenged(missing('a bearer token'), 'Bearer');
        if (this.#jwt === undefined) throw challenged(missing('a known issuer'), 'Bearer');
        return this.#jwt.verify(token).catch((thrown: unknown) => {
          throw challenged(HeddleError.from(thrown), 'Bearer error="invalid_token"');
        });
      }
      case 'basic': {
        const credentials = scheme(fields, 'basic');
        if (credentials === undefined || this.#basic === undefined)
          throw challenged(missing('a user and password'), 'Basic realm="gateway", charset="UTF-8"');
        return this.#basic.verify(credentials);
      }
      case 'apiKey': {
        const [key, ...more] = fields.all(this.keyField);
        if (key === undefined || this.#apiKeys === undefined) throw missing('an API key');
        if (more.length > 0) throw unauthenticated('BAD_API_KEY', 'there is more than one API key');
        return this.#apiKeys.verify(key);
      }
    }
  }
}

function issuerOf(config: IssuerConfig, runtime: Runtime, secrets: Secrets): JwtIssuer {
  const { secretEnv, jwks = '', algorithms, ...rules } = config;
  if (secretEnv === undefined) {
    const keys = new RemoteKeys({
      clock: runtime.clock,
      fetch: () => fetchText(jwks, runtime),
      onFailure: (error) =>
        runtime.log('error', 'the keys of an issuer cannot be had', { issuer: rules.issuer, error }),
    });
    return { ...rules, algorithms, keys };
  }
  const secret = secrets(secretEnv);
  if (secret === undefined || secret === '') {
    const message = `the secret ${secretEnv} is not set: tokens of ${rules.issuer} are signed with it, and it has no default`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'MISSING_SECRET', message, sent: false });
  }
  const bytes = new TextEncoder().encode(secret);
  return { ...rules, algorithms, keys: fixedKeys(algorithms.map((each) => secretKey(bytes, each))) };
}

/** The credentials of a scheme; undefined if there are none. Two `Authorization` fields mean two things, and are refused. */
function scheme(fields: Fields, name: string): string | undefined {
  const [value, ...more] = fields.all('authorization');
  if (more.length > 0) throw unauthenticated('BAD_CREDENTIALS', 'there is more than one Authorization field');
  if (value === undefined) return undefined;
  if (value.length > longestCredentials)
    throw unauthenticated('BAD_CREDENTIALS', 'the credentials are too long');
  const space = value.indexOf(' ');
  return space > 0 && value.slice(0, space).toLowerCase() === name ? value.slice(space + 1) : undefined;
}

function missing(what: string): HeddleError {
  return unauthenticated('NO_CREDENTIALS', `${what} is needed here`);
}

/** All proofs hold: the first says who it is, each adds what it is allowed. */
function joined(proved: readonly Identity[]): Identity {
  const [first] = proved;
  if (first === undefined) throw missing('a proof');
  return {
    ...first,
    roles: [...new Set(proved.flatMap(({ roles }) => roles))],
    scopes: [...new Set(proved.flatMap(({ scopes }) => scopes))],
  };
}
