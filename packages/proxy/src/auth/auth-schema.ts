import { isCertificateName, isSafeUrl, jwtAlgorithms, type JwtAlgorithm } from '@heddle/security';
import { list, object, oneOf, type Read, record, text, whole } from '../model/document.ts';
import { type LoginConfig, loginConfig } from './login/login-schema.ts';

/** An issuer of tokens, as configured. */
export interface IssuerConfig {
  issuer: string;
  audiences: string[];
  algorithms: JwtAlgorithm[];
  /** Where its keys are published. */
  jwks?: string;
  /** For HS algorithms: the name under which the gateway is given the secret. */
  secretEnv?: string;
  skewMs?: number;
  type?: string;
  rolesClaim?: string;
}

/** An API key, as configured. */
export interface ApiKeyConfig {
  id: string;
  sha256: string;
  roles?: string[];
  scopes?: string[];
  /** A date and time with its offset from UTC (RFC 3339). */
  expires?: string;
}

/** A user with a password, as configured. */
export interface UserConfig {
  name: string;
  hash: string;
  roles?: string[];
}

/** Where opaque tokens are asked about (RFC 7662), as configured. */
export interface IntrospectionConfig {
  url: string;
  clientId: string;
  clientSecretEnv: string;
  issuer?: string;
  audiences?: string[];
  rolesClaim?: string;
  cacheMs?: number;
  /** `closed`: while the server cannot be asked, nobody comes in. `stale`: who was good up to `staleMs` ago does. */
  onFailure?: 'closed' | 'stale';
  staleMs?: number;
}

/** Whose client certificates are proofs, as configured. */
export interface CertificatesConfig {
  trustDomains?: string[];
  subjects?: { name: string; roles?: string[]; scopes?: string[] }[];
}

/** How callers can prove who they are; the key `auth` of a gateway file. */
export interface AuthConfig {
  jwt?: IssuerConfig[];
  /** They come in the field `header` (default `x-api-key`), and in the query or a cookie where these are named. */
  apiKeys?: { header?: string; query?: string; cookie?: string; keys: ApiKeyConfig[] };
  basic?: { users: UserConfig[] };
  introspection?: IntrospectionConfig;
  oidc?: LoginConfig;
  clientCertificates?: CertificatesConfig;
  /** A claim (dots step down) to the field that carries it inward. */
  claimsToFields?: readonly (readonly [claim: string, field: string])[];
}

/** A way to prove it. */
export type AuthMethod = (typeof authMethods)[number];

const authMethods = ['jwt', 'apiKey', 'basic', 'introspection', 'oidc', 'clientCertificate'] as const;

/** What a route demands. One of `any` and `all` is there. */
export interface RouteAuth {
  any?: AuthMethod[];
  all?: AuthMethod[];
}

const words = (what: string): Read<string[]> =>
  list(
    text(what, (value) => value !== '' && value.length <= 200),
    100,
  );
const field: Read<string> = text('the name of a header field in lower case, beginning with "x-"', (value) =>
  /^x-[a-z0-9-]{1,60}$/.test(value),
);

const keyName: Read<string> = text('1 to 50 of A-Z, a-z, 0-9, "_" and "-"', (value) =>
  /^[A-Za-z0-9_-]{1,50}$/.test(value),
);
const variable: Read<string> = text('the name of an environment variable', (value) =>
  /^[A-Z][A-Z0-9_]*$/.test(value),
);

const issuer: Read<IssuerConfig> = (at) => {
  const made = object<IssuerConfig>(
    {
      issuer: text('a text that is exactly the "iss" of its tokens', (value) => value !== ''),
      audiences: words('an audience'),
      algorithms: list(oneOf(...jwtAlgorithms), jwtAlgorithms.length),
      jwks: text('an http:// or https:// URL', (value) => URL.canParse(value) && /^https?:/.test(value)),
      secretEnv: variable,
      skewMs: whole(0, 60_000),
      type: text('a media type'),
      rolesClaim: text('a claim', (value) => value !== ''),
    },
    ['issuer', 'audiences', 'algorithms'],
  )(at);
  if (made === undefined) return undefined;
  const { audiences, algorithms, jwks, secretEnv } = made;
  if (audiences.length === 0 || algorithms.length === 0)
    return at.problem('expected at least one audience and one algorithm');
  const shared = algorithms.filter((each) => each.startsWith('HS'));
  if (shared.length > 0 && shared.length < algorithms.length)
    return at.problem('expected algorithms of shared secrets (HS) or of key pairs, not both for one issuer');
  if (
    shared.length > 0
      ? secretEnv === undefined || jwks !== undefined
      : jwks === undefined || secretEnv !== undefined
  )
    return at.problem('expected "secretEnv" with HS algorithms, "jwks" with the others');
  return made;
};

const apiKey: Read<ApiKeyConfig> = object<ApiKeyConfig>(
  {
    id: text('1 to 100 visible characters', (value) => /^[\x21-\x7e]{1,100}$/.test(value)),
    sha256: text('the SHA-256 of the key, 64 hex digits', (value) => /^[0-9a-fA-F]{64}$/.test(value)),
    roles: words('a role'),
    scopes: words('a scope'),
    expires: text(
      'a time such as 2030-01-31T00:00:00Z',
      (value) => /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value)),
    ),
  },
  ['id', 'sha256'],
);

const user: Read<UserConfig> = object<UserConfig>(
  {
    name: text('1 to 100 visible characters without ":"', (value) => /^[^\p{Cc}:]{1,100}$/u.test(value)),
    hash: text('a hash: $argon2id$… or $2b$…', (value) => /^\$(argon2id|2[aby])\$/.test(value)),
    roles: words('a role'),
  },
  ['name', 'hash'],
);

const introspection: Read<IntrospectionConfig> = (at) => {
  const made = object<IntrospectionConfig>(
    {
      url: text('an https:// URL (http:// only on this machine)', isSafeUrl),
      clientId: text('a text', (value) => value !== '' && value.length <= 200),
      clientSecretEnv: variable,
      issuer: text('a text that is exactly the "iss" of its tokens', (value) => value !== ''),
      audiences: words('an audience'),
      rolesClaim: text('a claim', (value) => value !== ''),
      cacheMs: whole(0, 3_600_000),
      onFailure: oneOf('closed', 'stale'),
      staleMs: whole(1, 3_600_000),
    },
    ['url', 'clientId', 'clientSecretEnv'],
  )(at);
  if (made === undefined) return undefined;
  return (made.onFailure === 'stale') === (made.staleMs !== undefined)
    ? made
    : at.problem('"staleMs" says for how long with onFailure: stale, and is for nothing else');
};

const certificates: Read<CertificatesConfig> = (at) => {
  const made = object<CertificatesConfig>(
    {
      trustDomains: list(
        text('a trust domain such as shop.example', (value) => /^[a-z0-9._-]{1,255}$/.test(value)),
        100,
      ),
      subjects: list(
        object<{ name: string; roles?: string[]; scopes?: string[] }>(
          {
            name: text('spiffe://domain/path, dns:name or sha256:fingerprint', isCertificateName),
            roles: words('a role'),
            scopes: words('a scope'),
          },
          ['name'],
        ),
        10_000,
      ),
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  return made.trustDomains === undefined && made.subjects === undefined
    ? at.expected('"trustDomains" or "subjects"')
    : made;
};

/** Reads the key `auth` of a gateway file. */
export const authConfig: Read<AuthConfig> = object<AuthConfig>(
  {
    jwt: list(issuer, 100),
    apiKeys: object<NonNullable<AuthConfig['apiKeys']>>(
      { header: field, query: keyName, cookie: keyName, keys: list(apiKey, 10_000) },
      ['keys'],
    ),
    basic: object<{ users: UserConfig[] }>({ users: list(user, 10_000) }, ['users']),
    introspection,
    oidc: loginConfig,
    clientCertificates: certificates,
    claimsToFields: record('a claim', (key) => key !== '', field),
  },
  [],
);

const methods: Read<AuthMethod[]> = list(oneOf(...authMethods), authMethods.length);

/** Reads the key `auth` of a route. */
export const routeAuth: Read<RouteAuth> = (at) => {
  const made = object<RouteAuth>({ any: methods, all: methods }, [])(at);
  if (made === undefined) return undefined;
  const [demanded = [], ...others] = Object.values(made) as AuthMethod[][];
  return demanded.length > 0 && others.length === 0
    ? made
    : at.expected('"any" or "all" with at least one method');
};
