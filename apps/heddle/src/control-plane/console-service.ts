import type { Call } from '@heddle/kernel';
import type { Fields, HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import type { AuditLog } from './audit-log.ts';
import type { Access } from './auth-access.ts';
import { beginPath, callbackPath, type OidcSignIn } from './auth-oidc.ts';
import { type SignIn, sessionPath } from './auth-sign-in.ts';
import { type Asset, assetAnswer } from './console-assets.ts';
import { failureAnswer, jsonOf, redirect, textAnswer } from './console-answers.ts';
import { apiPrefix, ConsoleApi, type ConsoleRoute } from './console-api.ts';
import { overviewEvents } from './console-events.ts';
import type { Observer } from './observer.ts';

const most = 100;
const stateCookie = 'heddle-console-login';

/** What a console is made of. */
export interface ConsoleOptions {
  readonly assets: ReadonlyMap<string, Asset>;
  /** Origins of other tools' pages that may stand in frames. */
  readonly frames: readonly string[];
  readonly observer: Observer;
  readonly access: Access;
  readonly audit: AuditLog;
  readonly signIn: SignIn;
  readonly oidc: OidcSignIn | undefined;
  readonly routes: readonly ConsoleRoute[];
  /** The telemetry's own query APIs (Jaeger's, Prometheus'), for whoever is signed in or has the token. */
  readonly queries: (req: HttpRequest) => HttpService | undefined;
}

/**
 * The console: its files for everybody, and for who is signed in or shows the token `/api/overview`, `/api/events` (each
 * new overview as a Server-Sent Event), the query APIs, and what is below `/api/console`. Answers only requests for a
 * loopback name: a page of another site that has its own name resolve to this machine gets nothing.
 */
export function consoleService(options: ConsoleOptions): HttpService {
  const { assets, frames, observer, access, audit, signIn, oidc, routes, queries } = options;
  const api = new ConsoleApi(routes, access, audit);
  let listeners = 0;
  const events = (req: HttpRequest, call: Call): HttpResponse => {
    if (listeners >= most) return textAnswer(503, 'too many consoles are open\n');
    listeners++;
    call.onEnd(() => {
      listeners--;
    });
    return overviewEvents(observer, call, () => access.who(req) !== undefined);
  };
  return async (req, call) => {
    if (!isLoopback(req.authority)) return textAnswer(421, 'this console answers to localhost only\n');
    const path = req.path.split('?', 1)[0] ?? '/';
    if (path === sessionPath) return signIn.answer(req);
    if (oidc !== undefined && (path === beginPath || path === callbackPath))
      return atProvider(options, oidc, req).catch(failureAnswer);
    if (path.startsWith(`${apiPrefix}/`)) return api.answer(req, call);
    if (!path.startsWith('/api/')) return assetAnswer(assets, req, frames);
    try {
      access.require(req, 'viewer');
    } catch (thrown) {
      return failureAnswer(thrown);
    }
    if (path === '/api/overview') return jsonOf(200, observer.latest);
    if (path === '/api/events' && req.method === 'GET') return events(req, call);
    return queries(req)?.(req, call) ?? textAnswer(404, 'not found\n');
  };
}

async function atProvider(
  { signIn, audit }: ConsoleOptions,
  oidc: OidcSignIn,
  req: HttpRequest,
): Promise<HttpResponse> {
  const url = new URL(req.path, 'http://localhost');
  const keep = (state: string, more: string): string =>
    `${stateCookie}=${state}; Path=/oauth2; HttpOnly; SameSite=Lax${more}`;
  if (url.pathname === beginPath) {
    const begun = await oidc.begin();
    return redirect(begun.url, [keep(begun.state, '; Max-Age=600')]);
  }
  const sent = cookieNamed(req.fields, stateCookie);
  const { name, role } = await oidc.finish(url.searchParams, sent);
  const { cookie } = signIn.open(req, name, role, 'oidc');
  await audit.note({ who: name, role, action: 'sign in', target: name, outcome: 'ok' });
  return redirect('/', [cookie, keep('', '; Max-Age=0')]);
}

function cookieNamed(fields: Fields, name: string): string {
  const pairs = fields.all('cookie').flatMap((line) => line.split(';').map((pair) => pair.trim()));
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}

/** Whether a request is for a name of this machine alone: a page of another site cannot make one up that is. */
export function isLoopback(authority: string): boolean {
  const host = authority.replace(/:\d+$/, '').toLowerCase();
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(host)
  );
}
