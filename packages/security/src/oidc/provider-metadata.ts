import { HeddleError } from '@heddle/kernel';

/** What a provider says about itself (OpenID Connect Discovery 1.0), as far as it is used. */
export interface ProviderMetadata {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly endSessionEndpoint: string | undefined;
  readonly revocationEndpoint: string | undefined;
  /** It says in each answer who it is (RFC 9207): one that does not is not its answer. */
  readonly namesItself: boolean;
}

/** True for where secrets may be sent: https, or http on this machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, hash } = new URL(text);
  if (username !== '' || hash !== '') return false;
  const here = hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && here);
}

/**
 * Reads the metadata of `issuer`. Throws `failed_precondition` / `BAD_PROVIDER` where it is of another issuer (section
 * 4.3), or cannot do what is needed: authorization code, PKCE by S256.
 */
export function readMetadata(document: unknown, issuer: string): ProviderMetadata {
  if (typeof document !== 'object' || document === null) throw bad('its metadata is no object');
  const given = document as Record<string, unknown>;
  if (given['issuer'] !== issuer) throw bad('its metadata is of another issuer');
  const url = (name: string): string => {
    const value = given[name];
    if (typeof value !== 'string' || !isSafeUrl(value)) throw bad(`its "${name}" is no https:// URL`);
    return value;
  };
  const optional = (name: string): string | undefined => (given[name] === undefined ? undefined : url(name));
  lists(given, 'response_types_supported', 'code');
  lists(given, 'code_challenge_methods_supported', 'S256');
  return {
    issuer,
    authorizationEndpoint: url('authorization_endpoint'),
    tokenEndpoint: url('token_endpoint'),
    jwksUri: url('jwks_uri'),
    endSessionEndpoint: optional('end_session_endpoint'),
    revocationEndpoint: optional('revocation_endpoint'),
    namesItself: given['authorization_response_iss_parameter_supported'] === true,
  };
}

/** Providers that do not say what they support are believed to; those that say must support it. */
function lists(given: Readonly<Record<string, unknown>>, name: string, needed: string): void {
  const value = given[name];
  if (value !== undefined && !(Array.isArray(value) && value.includes(needed)))
    throw bad(`it does not support ${needed} ("${name}")`);
}

function bad(why: string): HeddleError {
  const message = `the OpenID provider cannot be used: ${why}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'BAD_PROVIDER', message, sent: false });
}
