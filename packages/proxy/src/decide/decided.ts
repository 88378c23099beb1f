import { type Call, HeddleError, type Layer } from '@heddle/kernel';
import { forbidden, identity } from '@heddle/security';
import type { MetricRegistry } from '@heddle/telemetry';
import { Fields, type HttpRequest, type HttpResponse, wholeBody } from '@heddle/wire';
import { addressOf } from '../forward/client-address.ts';
import type { RouteDecision } from './decide-schema.ts';
import type { Decision } from './decision.ts';
import type { DecisionPoint } from './decision-point.ts';

/** Hears what became of each question: `allowed`, `denied`, or the mode that held: `open`, `closed`. */
export type OnDecision = (route: string, became: 'allowed' | 'denied' | 'open' | 'closed') => void;

/** `gateway_decisions_total`. Once for a registry. */
export function decisionMetrics(metrics: MetricRegistry): OnDecision {
  const decisions = metrics.counter({
    name: 'gateway_decisions_total',
    help: 'Requests that a decision point was asked about; open and closed: it could not be asked.',
    labels: ['route', 'decision'],
  });
  return (route, became) => decisions.series(route, became).inc();
}

/** Lets through what the decision point allows. What it says beside that goes on, or back. */
export function decided(
  point: DecisionPoint,
  wanted: RouteDecision,
  route: string,
  onDecision: OnDecision,
): Layer<HttpRequest, HttpResponse> {
  return (next) => async (req, call) => {
    let decision: Decision;
    try {
      decision = await point.decide(wanted.policy, inputOf(wanted, route, req, call), call);
    } catch (thrown) {
      // Who has gone is no failure of the decision point.
      call.throwIfCancelled();
      const { onFailure = 'closed' } = point.config;
      onDecision(route, onFailure);
      const error = HeddleError.from(thrown);
      call.runtime.log('warn', 'a decision point could not be asked', { route, onFailure, error });
      if (onFailure === 'open') return next(req, call);
      const message = 'who may do this cannot be found out now';
      throw new HeddleError({ code: 'unavailable', reason: 'NO_DECISION', message, sent: false });
    }
    onDecision(route, decision.allowed ? 'allowed' : 'denied');
    if (!decision.allowed) return refusal(decision);
    if (decision.headers.length === 0) return next(req, call);
    const fields = req.fields.clone();
    for (const [name, value] of decision.headers) fields.set(name, value);
    return next({ ...req, fields }, call);
  };
}

/** What a policy gets to see as `input`. */
function inputOf({ headers = [] }: RouteDecision, route: string, req: HttpRequest, call: Call): object {
  const { pathname, searchParams } = new URL(req.path, 'http://localhost');
  const who = call.get(identity);
  return {
    route,
    method: req.method,
    host: req.authority,
    path: pathname,
    segments: pathname.split('/').filter((each) => each !== ''),
    query: Object.fromEntries(
      [...new Set(searchParams.keys())].map((key) => [key, searchParams.getAll(key)]),
    ),
    headers: Object.fromEntries(headers.map((name) => [name, req.fields.all(name)])),
    source: addressOf(call) ?? null,
    identity:
      who === undefined
        ? null
        : {
            subject: who.subject,
            method: who.method,
            issuer: who.issuer,
            roles: who.roles,
            scopes: who.scopes,
            claims: who.claims,
          },
  };
}

function refusal({ status, body, headers, reason }: Decision): HttpResponse {
  if (status === 403 && body === undefined && headers.length === 0)
    throw forbidden(reason ?? 'the policy does not allow this');
  const fields = Fields.of({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  for (const [name, value] of headers) fields.set(name, value);
  return {
    status,
    fields,
    body: wholeBody(new TextEncoder().encode(body ?? `${reason ?? 'not allowed'}\n`)),
  };
}
