import { HeddleError } from '@heddle/kernel';
import { Fields, type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import type { Asked, ConsoleRoute } from './console-api.ts';
import { readInput, text, whole } from './console-input.ts';

/** Rules, alerts and silences, through the control plane's own alert APIs. `serviceFor`: whoever answers a path. */
export function alertRoutes(
  serviceFor: (request: HttpRequest) => HttpService | undefined,
  token: string,
): ConsoleRoute[] {
  const at = async (
    asked: Asked,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    content?: object,
  ): Promise<unknown> => {
    const fields = Fields.of({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });
    const body = wholeBody(new TextEncoder().encode(content === undefined ? '' : JSON.stringify(content)));
    const request: HttpRequest = { ...asked.req, method, path, fields, body };
    const service = serviceFor(request);
    if (service === undefined) throw noAlerts();
    const answer = await service(request, asked.call);
    const said: unknown = JSON.parse(new TextDecoder().decode(await answer.body.bytes(16_777_216)));
    if (answer.status === 200) return said;
    throw refusedWith(answer.status, said);
  };
  return [
    {
      method: 'GET',
      path: '/alerts',
      role: 'viewer',
      run: async (asked) => ({
        rules: await at(asked, 'GET', '/api/v1/rules'),
        alerts: await at(asked, 'GET', '/api/v2/alerts'),
        silences: await at(asked, 'GET', '/api/v2/silences'),
        notifications: await at(asked, 'GET', '/api/notifications'),
      }),
    },
    {
      method: 'POST',
      path: '/silences',
      role: 'operator',
      run: async (asked) => {
        const { name, minutes, why } = readInput(asked.body, {
          name: text(200),
          minutes: whole(1, 60 * 24 * 30),
          why: text(500),
        });
        const nowMs = asked.call.runtime.clock.wallMs();
        const silence = {
          matchers: [{ name: 'alertname', value: name, isRegex: false, isEqual: true }],
          startsAt: new Date(nowMs).toISOString(),
          endsAt: new Date(nowMs + minutes * 60_000).toISOString(),
          createdBy: asked.who.name,
          comment: why,
        };
        const made = await at(asked, 'POST', '/api/v2/silences', silence);
        asked.note({ after: silence });
        return made;
      },
    },
    {
      method: 'DELETE',
      path: '/silences/:id',
      role: 'operator',
      run: async (asked) =>
        at(asked, 'DELETE', `/api/v2/silence/${encodeURIComponent(asked.at['id'] ?? '')}`),
    },
  ];
}

function noAlerts(): HeddleError {
  const message = 'this control plane evaluates no alerts';
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_ALERTS', message, sent: false });
}

function refusedWith(status: number, said: unknown): HeddleError {
  const message = typeof said === 'string' ? said : JSON.stringify(said).slice(0, 300);
  const code = status === 404 ? 'not_found' : 'invalid_argument';
  return new HeddleError({ code, reason: 'ALERTS_REFUSED', message, sent: false });
}
