import { HeddleError, type Runtime } from '@heddle/kernel';
import { isBearer } from '@heddle/upstream';
import type { HttpRequest } from '@heddle/wire';
import { type Session, Sessions, showsCsrf } from './auth-sessions.ts';
import { mayAs, type Role, type Users } from './auth-users.ts';

/** Who has made a request. */
export interface Who {
  readonly name: string;
  readonly role: Role;
  /** Undefined for a program with the token. */
  readonly session: Session | undefined;
}

/** Finds out who asks, and whether they may. */
export class Access {
  readonly sessions: Sessions;
  readonly #users: Users;
  readonly #token: string;

  /** `token`: of the programs that belong to the platform; whoever shows it may everything. */
  constructor(runtime: Runtime, users: Users, token: string) {
    this.sessions = new Sessions(runtime.clock, runtime.random);
    this.#users = users;
    this.#token = token;
  }

  /** Undefined for a stranger. */
  who(req: HttpRequest): Who | undefined {
    const given = req.fields.get('authorization');
    if (given !== undefined)
      return isBearer(given, this.#token) ? { name: 'token', role: 'admin', session: undefined } : undefined;
    const session = this.sessions.find(cookieOf(req) ?? '');
    if (session === undefined) return undefined;
    if (session.kind === 'oidc') return { name: session.user, role: session.role, session };
    const user = this.#users.get(session.user);
    return user && { name: user.name, role: user.role, session };
  }

  /**
   * Who asks, if they may. Throws `unauthenticated` / `NOT_SIGNED_IN`; `permission_denied` / `ROLE_NEEDED`; and for a
   * change `permission_denied` / `FOREIGN_PAGE` when it does not come from a page of the console: another site can make a
   * browser send the cookie, but it cannot know the token beside it.
   */
  require(req: HttpRequest, needed: Role): Who {
    const who = this.who(req);
    if (who === undefined)
      throw refused('unauthenticated', 'NOT_SIGNED_IN', 'sign in, or show a token: nobody is known here');
    const changes = req.method !== 'GET' && req.method !== 'HEAD';
    if (changes && who.session !== undefined && !this.#isOurs(req, who.session))
      throw refused(
        'permission_denied',
        'FOREIGN_PAGE',
        'the request does not come from a page of this console',
      );
    if (mayAs(who.role, needed)) return who;
    const message = `${who.name} is ${who.role}, and this needs the role ${needed}`;
    throw refused('permission_denied', 'ROLE_NEEDED', message);
  }

  #isOurs(req: HttpRequest, session: Session): boolean {
    return isSameOrigin(req) && showsCsrf(session, req.fields.get('x-heddle-csrf'));
  }
}

/** False for what a page of another site has made a browser send, as far as browsers say. */
export function isSameOrigin({ fields, authority, scheme }: HttpRequest): boolean {
  const site = fields.get('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const origin = fields.get('origin');
  return origin === undefined || origin === `${scheme}://${authority}`;
}

/** The name of the session's cookie: browsers share cookies between ports, so the port is in it. */
export function cookieName(authority: string): string {
  return `heddle-console-${/:(\d+)$/.exec(authority)?.[1] ?? 'session'}`;
}

/** The token in the cookie of a request. */
export function cookieOf(req: HttpRequest): string | undefined {
  const name = `${cookieName(req.authority)}=`;
  for (const line of req.fields.all('cookie'))
    for (const pair of line.split(';'))
      if (pair.trim().startsWith(name)) return pair.trim().slice(name.length);
  return undefined;
}

/** What keeps a session in a browser; an empty token ends it. */
export function setCookie({ authority, scheme }: HttpRequest, token: string): string {
  const age = token === '' ? '; Max-Age=0' : '';
  // `Secure` with TLS alone: without it the console is on loopback, where browsers differ in whether they would take it.
  const secure = scheme === 'https' ? '; Secure' : '';
  return `${cookieName(authority)}=${token}; Path=/; HttpOnly; SameSite=Lax${secure}${age}`;
}

function refused(code: HeddleError['code'], reason: string, message: string): HeddleError {
  return new HeddleError({ code, reason, message, sent: false });
}
