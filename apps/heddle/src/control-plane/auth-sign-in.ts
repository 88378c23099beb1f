import { HeddleError, type Runtime } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import type { AuditLog } from './audit-log.ts';
import { type Access, cookieOf, isSameOrigin, setCookie, type Who } from './auth-access.ts';
import type { OidcSignIn } from './auth-oidc.ts';
import { Throttle } from './auth-throttle.ts';
import type { Users } from './auth-users.ts';
import { failureAnswer, jsonOf } from './console-answers.ts';
import { readInput, text } from './console-input.ts';

/** Where people sign in and out. */
export const sessionPath = '/api/console/session';
const longestBody = 4096;

/** What `SignIn` is made from. */
export interface SignInOptions {
  readonly runtime: Runtime;
  readonly access: Access;
  readonly users: Users;
  readonly audit: AuditLog;
  /** Undefined: there is no provider. */
  readonly oidc: OidcSignIn | undefined;
}

/**
 * `GET` says who is signed in, `POST` with name and password signs in, `DELETE` signs out. Signing in always makes a new
 * session and ends the one that the browser had, so that nobody goes on with a session that somebody else has planted.
 */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #throttle: Throttle;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.runtime.clock);
  }

  /** Never rejects. */
  async answer(req: HttpRequest): Promise<HttpResponse> {
    try {
      if (req.method === 'GET') return this.#shown(this.#options.access.who(req));
      if (!isSameOrigin(req)) throw foreign();
      if (req.method === 'POST') return await this.#begin(req);
      if (req.method === 'DELETE') return await this.#end(req);
      throw new HeddleError({
        code: 'not_found',
        reason: 'NO_SUCH_PATH',
        message: `${sessionPath} takes GET, POST, DELETE`,
      });
    } catch (thrown) {
      return failureAnswer(thrown);
    }
  }

  /** A session for who has proved it, in place of the one that the request has brought. */
  open(
    req: HttpRequest,
    user: string,
    role: Who['role'],
    kind: 'local' | 'oidc',
  ): { cookie: string; who: Who } {
    const { sessions } = this.#options.access;
    sessions.end(cookieOf(req) ?? '');
    const { token, session } = sessions.begin(user, role, kind);
    return { cookie: setCookie(req, token), who: { name: user, role, session } };
  }

  #shown(who: Who | undefined): HttpResponse {
    const provider = this.#options.oidc !== undefined;
    const { name = null, role = null, session } = who ?? {};
    return jsonOf(200, {
      user: name,
      role,
      csrf: session?.csrf ?? null,
      kind: session?.kind ?? null,
      provider,
    });
  }

  async #begin(req: HttpRequest): Promise<HttpResponse> {
    const { users, audit } = this.#options;
    const { name, password } = readInput(await jsonIn(req), { name: text(64), password: text(200) });
    this.#throttle.check(name);
    const user = await users.check(name, password);
    const entry = { who: user?.name ?? 'nobody', role: user?.role ?? '', action: 'sign in', target: name };
    if (user === undefined) {
      this.#throttle.failed(name);
      await audit.note({ ...entry, outcome: 'WRONG_PASSWORD' });
      const message = 'the name or the password is wrong';
      throw new HeddleError({ code: 'unauthenticated', reason: 'WRONG_PASSWORD', message, sent: false });
    }
    this.#throttle.succeeded(name);
    const { cookie, who } = this.open(req, user.name, user.role, 'local');
    await audit.note({ ...entry, outcome: 'ok' });
    const answer = this.#shown(who);
    answer.fields.append('set-cookie', cookie);
    return answer;
  }

  async #end(req: HttpRequest): Promise<HttpResponse> {
    const { access, audit } = this.#options;
    const who = access.who(req);
    if (who?.session !== undefined) {
      access.require(req, 'viewer');
      access.sessions.end(cookieOf(req) ?? '');
      await audit.note({
        who: who.name,
        role: who.role,
        action: 'sign out',
        target: who.name,
        outcome: 'ok',
      });
    }
    const answer = this.#shown(undefined);
    answer.fields.append('set-cookie', setCookie(req, ''));
    return answer;
  }
}

async function jsonIn(req: HttpRequest): Promise<unknown> {
  if (req.fields.get('content-type')?.split(';', 1)[0] !== 'application/json') throw foreign();
  const bytes = await req.body.bytes(longestBody);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    const message = 'the content is no JSON';
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_INPUT', message, sent: false });
  }
}

function foreign(): HeddleError {
  const message = 'the request does not come from a page of this console';
  return new HeddleError({ code: 'permission_denied', reason: 'FOREIGN_PAGE', message, sent: false });
}
