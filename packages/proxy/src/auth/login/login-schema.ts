import { isSafeUrl, type JwtAlgorithm, jwtAlgorithms } from '@heddle/security';
import { flag, list, object, oneOf, type Read, text, whole } from '../../model/document.ts';

/** Login of browsers at an OpenID provider; the key `auth.oidc` of a gateway file. */
export interface LoginConfig {
  issuer: string;
  clientId: string;
  /** The name of the client's secret. Without one it is a public client. */
  clientSecretEnv?: string;
  /** The name of the secrets that sessions are sealed with: the first seals, all open. */
  sessionSecretEnv: string;
  /** Where browsers see this gateway: `https://shop.example`. */
  publicUrl: string;
  /** Default `openid`. */
  scopes?: string[];
  /** Where the provider sends browsers back to. Default `/oauth2/callback`. */
  callbackPath?: string;
  /** Where a POST logs out. Default `/oauth2/logout`. */
  logoutPath?: string;
  /** Where browsers are after that; must be known to the provider. Default `/`. */
  afterLogout?: string;
  /** Default `heddle-session`; with https, `__Host-` comes before it. */
  cookie?: string;
  /** A session ends then, however often it was refreshed. Default 8 hours. */
  sessionMs?: number;
  algorithms?: JwtAlgorithm[];
  rolesClaim?: string;
  /** Send the access token on as `Authorization: Bearer`. Default false. */
  forwardToken?: boolean;
}

const variable: Read<string> = text('the name of an environment variable', (value) =>
  /^[A-Z][A-Z0-9_]*$/.test(value),
);
const ownPath: Read<string> = text('a path of plain segments such as /oauth2/callback', (value) =>
  /^(\/[A-Za-z0-9_-]+)+$/.test(value),
);
const safeUrl = 'an https:// URL (http:// only on this machine)';

const shape = object<LoginConfig>(
  {
    issuer: text(safeUrl, isSafeUrl),
    clientId: text('a text', (value) => /^[\x20-\x7e]{1,200}$/.test(value)),
    clientSecretEnv: variable,
    sessionSecretEnv: variable,
    publicUrl: text(
      `${safeUrl} without a path`,
      (value) => isSafeUrl(value) && new URL(value).origin === value.replace(/\/$/, ''),
    ),
    scopes: list(
      text('a scope', (value) => /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(value)),
      50,
    ),
    callbackPath: ownPath,
    logoutPath: ownPath,
    afterLogout: text('a path', (value) => /^\/(?![/\\])[\x21-\x7e]*$/.test(value)),
    cookie: text('the name of a cookie', (value) => /^[A-Za-z0-9_-]{1,50}$/.test(value)),
    sessionMs: whole(60_000, 30 * 86_400_000),
    algorithms: list(oneOf(...jwtAlgorithms.filter((each) => !each.startsWith('HS'))), jwtAlgorithms.length),
    rolesClaim: text('a claim', (value) => value !== ''),
    forwardToken: flag,
  },
  ['issuer', 'clientId', 'sessionSecretEnv', 'publicUrl'],
);

/** Reads `auth.oidc`. */
export const loginConfig: Read<LoginConfig> = (at) => {
  const made = shape(at);
  if (made === undefined) return undefined;
  if (made.scopes !== undefined && !made.scopes.includes('openid'))
    return at.problem('"scopes" needs openid: without it there is no ID token');
  return made;
};
