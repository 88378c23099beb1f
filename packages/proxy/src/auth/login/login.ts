import { type Call, type CallKey, callKey, HeddleError, type Layer, type Runtime } from '@heddle/kernel';
import {
  forbidden,
  type Identity,
  identityOfSession,
  type LoginSession,
  OidcClient,
  readPending,
  readSession,
  Refreshes,
  Seals,
  unauthenticated,
} from '@heddle/security';
import { emptyBody, Fields, type HttpRequest, type HttpResponse } from '@heddle/wire';
import { jsonAnswer } from '../../answer/json-answer.ts';
import { ask } from '../fetch-text.ts';
import { needed, type Secrets } from '../secrets.ts';
import type { LoginConfig } from './login-schema.ts';
import {
  type CookieRules,
  dropPending,
  dropSession,
  keepPending,
  keepSession,
  pendingIn,
  type SentCookies,
  sessionIn,
  takeCookies,
} from './session-cookies.ts';

/** What a request of a browser has brought along, and what its answer is to bring back. */
interface Visit {
  readonly sent: SentCookies;
  readonly setCookies: string[];
  session: LoginSession | undefined;
}

const visit: CallKey<Visit | undefined> = callKey<Visit | undefined>('login-visit', undefined);
const forSession = 'session';
const forLogin = 'login';
const hour = 3_600_000;

/** Login of browsers: sealed sessions in cookies, the ways to the provider and back. */
export class Login {
  /**
   * Stands before the router: takes our cookies out of every request, answers the callback and the logout, and puts the
   * cookies of a session that has changed into the answer.
   */
  readonly front: Layer<HttpRequest, HttpResponse>;
  readonly #client: OidcClient;
  readonly #seals: Seals;
  readonly #refreshes: Refreshes;
  readonly #runtime: Runtime;
  readonly #cookies: CookieRules;
  readonly #origin: string;
  readonly #config: LoginConfig;

  /** `claims`: those that a session keeps. Throws `MISSING_SECRET` and `WEAK_SECRET`. */
  constructor(config: LoginConfig, claims: readonly string[], runtime: Runtime, secrets: Secrets) {
    const { clock, random } = runtime;
    const secret = needed(secrets, config.sessionSecretEnv, 'sessions are sealed with it');
    const { clientSecretEnv } = config;
    this.#config = config;
    this.#runtime = runtime;
    this.#origin = new URL(config.publicUrl).origin;
    this.#cookies = { name: config.cookie ?? 'heddle-session', secure: this.#origin.startsWith('https:') };
    this.#seals = new Seals(secret, random);
    this.#refreshes = new Refreshes(clock);
    this.#client = new OidcClient({
      clock,
      random,
      ask: (question) => ask(question, runtime),
      issuer: config.issuer,
      clientId: config.clientId,
      clientSecret:
        clientSecretEnv === undefined
          ? undefined
          : needed(secrets, clientSecretEnv, `${config.clientId} proves itself with it`),
      scopes: config.scopes ?? ['openid'],
      redirectUri: `${this.#origin}${this.#callbackPath}`,
      algorithms: config.algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'],
      rolesClaim: config.rolesClaim ?? 'roles',
      keptClaims: claims,
      keepAccessToken: config.forwardToken === true,
      onFailure: (error) => runtime.log('error', 'the OpenID provider cannot be asked', { error }),
    });
    this.front = (next) => async (req, call) => {
      const fields = req.fields.clone();
      const here: Visit = { sent: takeCookies(fields, this.#cookies), setCookies: [], session: undefined };
      call.set(visit, here);
      const res = await this.#served(next, { ...req, fields }, call, here);
      if (here.setCookies.length === 0) return res;
      const answer = res.fields.clone();
      for (const each of here.setCookies) answer.append('set-cookie', each);
      // What sets a session is for one browser.
      return { ...res, fields: answer.set('cache-control', 'no-store') };
    };
  }

  /**
   * Who is logged in. Rejects with `unauthenticated` / `NO_CREDENTIALS` for nobody, and with `permission_denied` for a
   * request that another site has made the browser send (OWASP, cross-site request forgery).
   */
  async identify(req: HttpRequest, call: Call): Promise<Identity> {
    const here = call.get(visit);
    const sealed = here === undefined ? undefined : sessionIn(here.sent);
    const session = sealed === undefined ? undefined : readSession(this.#seals.open(sealed, forSession));
    if (here === undefined || session === undefined) throw nobody();
    if (!this.#isOurs(req)) throw forbidden('the request was made by a page of another site');
    here.session = await this.#current(session, here);
    return identityOfSession(here.session, this.#config.issuer);
  }

  /** The access token of who has been identified, where it is to be sent on. */
  tokenOf(call: Call): string | undefined {
    return call.get(visit)?.session?.accessToken;
  }

  /** Sends a person to log in; undefined where there is none, only a program. */
  async invitation(req: HttpRequest, call: Call): Promise<HttpResponse | undefined> {
    const here = call.get(visit);
    const mode = req.fields.get('sec-fetch-mode');
    const wantsPage =
      mode === undefined ? req.fields.get('accept')?.includes('text/html') : mode === 'navigate';
    if (here === undefined || req.method !== 'GET' || wantsPage !== true) return undefined;
    const { url, pending } = await this.#client.begin(req.path);
    const maxAgeMs = pending.expiresMs - this.#runtime.clock.wallMs();
    const sealed = this.#seals.seal(JSON.stringify(pending), forLogin);
    here.setCookies.push(
      ...dropSession(this.#cookies, here.sent),
      ...keepPending(this.#cookies, pending.state, sealed, maxAgeMs, here.sent),
    );
    return redirect(302, url);
  }

  get #callbackPath(): string {
    return this.#config.callbackPath ?? '/oauth2/callback';
  }

  #served(
    next: Parameters<Layer<HttpRequest, HttpResponse>>[0],
    req: HttpRequest,
    call: Call,
    here: Visit,
  ): Promise<HttpResponse> {
    const question = req.path.indexOf('?');
    const path = question === -1 ? req.path : req.path.slice(0, question);
    if (path === this.#callbackPath && req.method === 'GET')
      return this.#finish(new URLSearchParams(question === -1 ? '' : req.path.slice(question + 1)), here);
    if (path === (this.#config.logoutPath ?? '/oauth2/logout')) return this.#logout(req, here);
    return next(req, call);
  }

  async #finish(answer: URLSearchParams, here: Visit): Promise<HttpResponse> {
    const state = answer.get('state') ?? '';
    const sealed = pendingIn(here.sent, state);
    const pending = sealed === undefined ? undefined : readPending(this.#seals.open(sealed, forLogin));
    if (pending === undefined) {
      const message = 'this browser has not begun the login that it brings back, or too long ago: begin anew';
      return jsonAnswer(400, { code: 'failed_precondition', reason: 'UNKNOWN_LOGIN', message });
    }
    here.setCookies.push(dropPending(this.#cookies, state));
    try {
      this.#keep(await this.#client.finish(answer, pending), here);
    } catch (thrown) {
      const { code, reason, message } = HeddleError.from(thrown);
      return jsonAnswer(code === 'unauthenticated' ? 403 : 503, { code, reason, message });
    }
    return redirect(303, pending.returnTo);
  }

  async #logout(req: HttpRequest, here: Visit): Promise<HttpResponse> {
    if (req.method !== 'POST') {
      const answer = jsonAnswer(405, {
        code: 'invalid_argument',
        reason: 'LOGOUT_IS_A_POST',
        message: 'send a POST',
      });
      answer.fields.set('allow', 'POST');
      return answer;
    }
    if (!this.#isOurs(req, true)) throw forbidden('a logout comes from a page of this site');
    const sealed = sessionIn(here.sent);
    const session = sealed === undefined ? undefined : readSession(this.#seals.open(sealed, forSession));
    here.setCookies.push(...dropSession(this.#cookies, here.sent));
    if (session !== undefined) await this.#client.revoke(session);
    const { afterLogout = '/' } = this.#config;
    const elsewhere = await this.#client.logoutUrl(`${this.#origin}${afterLogout}`).catch(() => undefined);
    return redirect(303, elsewhere ?? afterLogout);
  }

  /** Refreshed if its tokens have expired. */
  async #current(session: LoginSession, here: Visit): Promise<LoginSession> {
    const { sessionMs = 8 * hour } = this.#config;
    const nowMs = this.#runtime.clock.wallMs();
    if (nowMs >= session.startedMs + sessionMs) throw nobody();
    if (nowMs < session.expiresMs) return session;
    if (session.refreshToken === undefined) throw nobody();
    try {
      const made = await this.#refreshes.refreshed(session, (old) => this.#client.refresh(old));
      this.#keep(made, here);
      return made;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      throw error.code === 'unauthenticated' ? nobody() : error;
    }
  }

  #keep(session: LoginSession, here: Visit): void {
    const { sessionMs = 8 * hour } = this.#config;
    const sealed = this.#seals.seal(JSON.stringify(session), forSession);
    const maxAgeMs = session.startedMs + sessionMs - this.#runtime.clock.wallMs();
    const kept = keepSession(this.#cookies, sealed, maxAgeMs, here.sent);
    if (kept === undefined) throw tooLong(sealed.length);
    here.setCookies.push(...kept);
  }

  /**
   * False for what a page of another site may have caused and what could do harm: changes, and tunnels, which no other
   * rule of browsers covers. Programs that say nothing about it are nobody's page, unless `strict`.
   */
  #isOurs({ method, fields, protocol }: HttpRequest, strict = false): boolean {
    if (protocol === undefined && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS'))
      return true;
    // Asked first: a page that sends no referrer has the origin "null" for forms to its own site too.
    const site = fields.get('sec-fetch-site');
    if (site !== undefined) return site === 'same-origin' || site === 'none';
    const origin = fields.get('origin');
    return origin === undefined ? !strict : origin === this.#origin;
  }
}

function redirect(status: number, to: string): HttpResponse {
  const fields = Fields.of({ location: to, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  return { status, fields, body: emptyBody };
}

function nobody(): HeddleError {
  return unauthenticated('NO_CREDENTIALS', 'a login is needed here');
}

function tooLong(length: number): HeddleError {
  const message = `the session is too long for cookies: ${length} characters sealed; keep fewer claims or no access token`;
  return new HeddleError({ code: 'failed_precondition', reason: 'SESSION_TOO_LONG', message, sent: false });
}
