import { HeddleError, type Runtime } from '@heddle/kernel';
import {
  ApiKeys,
  BasicUsers,
  CertificateSubjects,
  fixedKeys,
  type Identity,
  Introspection,
  type JwtIssuer,
  JwtVerifier,
  RemoteKeys,
  secretKey,
} from '@heddle/security';
import { peer } from '@heddle/wire';
import type { AuthConfig, CertificatesConfig, IntrospectionConfig, IssuerConfig } from './auth-schema.ts';
import { challenged } from './challenge.ts';
import { ask, fetchText } from './fetch-text.ts';
import { keyIn, type KeyPlaces } from './key-place.ts';
import { credentialsOf, missing, type Proof } from './proof.ts';
import { needed, type Secrets } from './secrets.ts';

/** Bearer tokens that are signed. Throws `MISSING_SECRET`, `WEAK_SECRET`. */
export function jwtProof(issuers: readonly IssuerConfig[], runtime: Runtime, secrets: Secrets): Proof {
  const verifier = new JwtVerifier(
    issuers.map((each) => issuerOf(each, runtime, secrets)),
    runtime.clock,
  );
  return bearer((token) => verifier.remembered(token) ?? verifier.verify(token));
}

/** Bearer tokens that are asked about. Throws `MISSING_SECRET`. */
export function introspectionProof(config: IntrospectionConfig, runtime: Runtime, secrets: Secrets): Proof {
  const { url, clientId, clientSecretEnv, audiences = [], issuer, rolesClaim, cacheMs, staleMs } = config;
  const secret = needed(secrets, clientSecretEnv, `tokens are asked about with it at ${url}`);
  const encoded = [clientId, secret].map((each) => new URLSearchParams({ e: each }).toString().slice(2));
  const authorization = `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
  const introspection = new Introspection({
    clock: runtime.clock,
    ask: async (token) => {
      const form = { token, token_type_hint: 'access_token' };
      const { status, text } = await ask({ url, form, authorization }, runtime);
      if (status !== 200) throw new Error(`the introspection end point answers ${status}`);
      return JSON.parse(text);
    },
    audiences,
    issuer,
    rolesClaim,
    cacheMs,
    staleMs,
  });
  return bearer((token) => introspection.verify(token));
}

/** User and password. Throws `BAD_PASSWORD_HASH`. */
export function basicProof({ users }: NonNullable<AuthConfig['basic']>): Proof {
  const known = new BasicUsers(users.map((each) => ({ ...each, roles: each.roles ?? [] })));
  return async ({ fields }) => {
    const credentials = credentialsOf(fields, 'basic');
    if (credentials === undefined)
      throw challenged(missing('a user and password'), 'Basic realm="gateway", charset="UTF-8"');
    return known.verify(credentials);
  };
}

/** Keys in one of these places. */
export function apiKeyProof(
  config: NonNullable<AuthConfig['apiKeys']>,
  places: KeyPlaces,
  runtime: Runtime,
): Proof {
  const stored = config.keys.map(({ id, sha256, roles = [], scopes = [], expires }) => {
    return { id, sha256, roles, scopes, expiresMs: expires === undefined ? undefined : Date.parse(expires) };
  });
  const known = new ApiKeys(stored, runtime.clock);
  return async (req) => {
    const key = keyIn(req, places);
    if (key === undefined) throw missing('an API key');
    return known.verify(key);
  };
}

/** The certificate that the connection's handshake has shown. */
export function certificateProof({ trustDomains = [], subjects = [] }: CertificatesConfig): Proof {
  const known = subjects.map(({ name, roles = [], scopes = [] }) => ({ name, roles, scopes }));
  const all = new CertificateSubjects({ trustDomains, known });
  return async (_req, call) => all.identify(call.get(peer)?.tls?.certificate);
}

function bearer(verify: (token: string) => Identity | Promise<Identity>): Proof {
  return ({ fields }) => {
    const token = credentialsOf(fields, 'bearer');
    if (token === undefined) throw challenged(missing('a bearer token'), 'Bearer');
    const who = verify(token);
    return who instanceof Promise ? who.catch(badToken) : who;
  };
}

function badToken(thrown: unknown): never {
  const error = HeddleError.from(thrown);
  throw error.code === 'unauthenticated' ? challenged(error, 'Bearer error="invalid_token"') : error;
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
  const bytes = new TextEncoder().encode(
    needed(secrets, secretEnv, `tokens of ${rules.issuer} are signed with it`),
  );
  return { ...rules, algorithms, keys: fixedKeys(algorithms.map((each) => secretKey(bytes, each))) };
}
