import { HeddleError, type Runtime } from '@heddle/kernel';
import { ask } from '@heddle/proxy';
import { type LoginSession, OidcClient, type PendingLogin } from '@heddle/security';
import { type Role, roles } from './auth-users.ts';

/** Where the provider sends people back to. */
export const callbackPath = '/oauth2/callback';
/** Where a sign-in at the provider begins. */
export const beginPath = '/oauth2/begin';

const mostPending = 1000;

/** What is said about a provider. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Under which people reach the console. */
  readonly publicUrl: string;
  /** The claim with the roles: `heddle-admin`, `heddle-operator`, `heddle-viewer`, or the same without `heddle-`. */
  readonly rolesClaim: string;
}

/** Signing in at an OpenID provider. Who has none of the roles there does not come in. */
export class OidcSignIn {
  readonly #client: OidcClient;
  readonly #runtime: Runtime;
  readonly #pending = new Map<string, PendingLogin>();

  constructor(settings: OidcSettings, runtime: Runtime) {
    this.#runtime = runtime;
    this.#client = new OidcClient({
      clock: runtime.clock,
      random: runtime.random,
      ask: (question) => ask(question, runtime),
      issuer: settings.issuer,
      clientId: settings.clientId,
      clientSecret: settings.clientSecret,
      scopes: ['openid'],
      redirectUri: `${new URL(settings.publicUrl).origin}${callbackPath}`,
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      rolesClaim: settings.rolesClaim,
      keptClaims: ['email', 'preferred_username'],
      keepAccessToken: false,
      onFailure: (error) => runtime.log('error', 'the OpenID provider cannot be asked', { error }),
    });
  }

  /** Where to send a browser, and the state that it must bring back in a cookie too. */
  async begin(): Promise<{ readonly url: string; readonly state: string }> {
    const { url, pending } = await this.#client.begin('/');
    this.#forgetOld();
    this.#pending.set(pending.state, pending);
    return { url, state: pending.state };
  }

  /** Who has come back. Rejects with `LOGIN_FAILED`, `UNKNOWN_LOGIN`, and `permission_denied` / `NO_ROLE`. */
  async finish(answer: URLSearchParams, stateInCookie: string): Promise<{ name: string; role: Role }> {
    const state = answer.get('state') ?? '';
    const pending = state === stateInCookie ? this.#pending.get(state) : undefined;
    if (pending === undefined) throw unknownLogin();
    this.#pending.delete(state);
    const session = await this.#client.finish(answer, pending);
    const role = roleOf(session.roles);
    const name = nameOf(session);
    if (role !== undefined) return { name, role };
    const message = `${name} has none of the roles heddle-admin, heddle-operator and heddle-viewer at the provider`;
    throw new HeddleError({ code: 'permission_denied', reason: 'NO_ROLE', message, sent: false });
  }

  #forgetOld(): void {
    const nowMs = this.#runtime.clock.wallMs();
    for (const [state, { expiresMs }] of this.#pending)
      if (expiresMs <= nowMs || this.#pending.size >= mostPending) this.#pending.delete(state);
  }
}

/** The settings in the environment; undefined without an issuer. Throws with the name of what is missing. */
export function oidcSettings(env: Readonly<Record<string, string | undefined>>): OidcSettings | undefined {
  const issuer = env['HEDDLE_CONSOLE_OIDC_ISSUER'];
  if (issuer === undefined || issuer === '') return undefined;
  const needed = ['HEDDLE_CONSOLE_OIDC_CLIENT_ID', 'HEDDLE_CONSOLE_URL'];
  const missing = needed.filter((name) => (env[name] ?? '') === '');
  if (missing.length > 0) {
    const message = `with HEDDLE_CONSOLE_OIDC_ISSUER, ${missing.join(' and ')} must be set`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'MISSING_SETTING', message, sent: false });
  }
  return {
    issuer,
    clientId: env['HEDDLE_CONSOLE_OIDC_CLIENT_ID'] ?? '',
    clientSecret: env['HEDDLE_CONSOLE_OIDC_CLIENT_SECRET'],
    publicUrl: env['HEDDLE_CONSOLE_URL'] ?? '',
    rolesClaim: env['HEDDLE_CONSOLE_OIDC_ROLES_CLAIM'] ?? 'roles',
  };
}

/** The highest one. */
function roleOf(given: readonly string[]): Role | undefined {
  return roles.toReversed().find((role) => given.includes(`heddle-${role}`) || given.includes(role));
}

function nameOf({ subject, claims }: LoginSession): string {
  const name = claims['preferred_username'] ?? claims['email'];
  return `oidc:${typeof name === 'string' ? name.slice(0, 100) : subject.slice(0, 100)}`;
}

function unknownLogin(): HeddleError {
  const message = 'this browser has not begun the sign-in that it brings back, or too long ago: begin anew';
  return new HeddleError({ code: 'failed_precondition', reason: 'UNKNOWN_LOGIN', message, sent: false });
}
