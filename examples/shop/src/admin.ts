import { HeddleError } from '@heddle/kernel';
import type { FaultSwitch } from '@heddle/traffic';
import type { HttpRequest, HttpService } from '@heddle/wire';
import { faultsOf } from './faults.ts';
import { httpApi, json, problemOf } from './http-api.ts';

/** What the admin endpoint works on. */
export interface AdminOptions {
  readonly token: string;
  readonly faults: FaultSwitch;
  /** Ends the process at once, without any clean-up. */
  readonly kill: () => void;
  /** Answers `GET /explain…`. */
  readonly explain: HttpService;
  /** Where each setting comes from. */
  readonly origins: () => ReadonlyMap<string, object>;
}

/**
 * `GET /faults`, `PUT /faults` (all of them, see `faultsOf`), `POST /kill`, `GET /settings` and what `heddle explain` asks, each with `authorization: Bearer
 * <token>`. For a listener on the loopback interface only: it is not a part of the service's own port.
 */
export function adminService(options: AdminOptions): HttpService {
  const { faults, token, kill, explain, origins } = options;
  const api = httpApi({
    'GET /faults': async () => ({ status: 200, body: faults.faults }),
    'PUT /faults': async (exchange) => {
      faults.set(faultsOf(await exchange.json()));
      exchange.call.runtime.log('warn', 'faults are switched', { faults: faults.faults });
      return { status: 200, body: faults.faults };
    },
    'GET /settings': async () => ({
      status: 200,
      body: { settings: [...origins()].map(([key, from]) => ({ key, from })) },
    }),
    'POST /kill': async ({ call }) => {
      // After the answer has gone out.
      call.runtime.timers.after(50, kill);
      return { status: 202, body: { killed: true } };
    },
  });
  return async (request, call) => {
    if (mayEnter(request, token))
      return request.path.startsWith('/explain') ? explain(request, call) : api.service(request, call);
    request.body.cancel();
    const message =
      'the admin endpoint needs the token that the service was started with, as authorization: Bearer …';
    const { status, body } = problemOf(
      new HeddleError({ code: 'unauthenticated', reason: 'BAD_TOKEN', message }),
    );
    const answer = json(status, body, 'application/problem+json');
    answer.fields.append('www-authenticate', 'Bearer');
    return answer;
  };
}

/** Takes as long for a wrong token as for the right one, so that nobody can guess it letter by letter. */
function mayEnter(request: HttpRequest, token: string): boolean {
  const given = request.fields.get('authorization') ?? '';
  const wanted = `Bearer ${token}`;
  let difference = given.length ^ wanted.length;
  for (let at = 0; at < wanted.length; at += 1)
    difference |= given.charCodeAt(at % (given.length || 1)) ^ wanted.charCodeAt(at);
  return difference === 0;
}
