import { type Call, HeddleError, type Layer, stack, tenantId, userId } from '@heddle/kernel';
import { identity } from '@heddle/security';
import { type RateAsk, type RateDecision, rateDecision, rateLimit } from '@heddle/traffic';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { addressOf } from '../forward/client-address.ts';
import { jsonAnswer } from '../answer/json-answer.ts';
import { quoted } from '../answer/quoted.ts';
import type { LimitMetrics } from './limit-metrics.ts';
import type { KeyPart, LimitConfig } from './limit-schema.ts';
import type { LimitStore } from './limit-store.ts';

/** True for a limit that can be asked before it is known who comes: so that guessing passwords is limited as well. */
export function isAnonymous({ key, tiers }: LimitConfig): boolean {
  return tiers === undefined && !key.includes('user') && !key.includes('tenant');
}

/**
 * Admits requests within the limits, all or none of them. Refusals are 429 with `Retry-After`; every answer tells the
 * tightest limit in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
 */
export function limited(
  limits: readonly LimitConfig[],
  route: string,
  { store, local, onFailure, timeoutMs }: LimitStore,
  metrics: LimitMetrics,
): Layer<HttpRequest, HttpResponse> {
  if (limits.length === 0) return (next) => next;
  const asks = (req: HttpRequest, call: Call): RateAsk[] => {
    const made: RateAsk[] = [];
    for (const each of limits) {
      const ask = askOf(each, route, req, call);
      if (ask !== undefined) made.push(ask);
    }
    return made;
  };
  return stack(
    told(limits),
    rateLimit<HttpRequest, HttpResponse>({
      store,
      limits: asks,
      local,
      onStoreFailure: onFailure,
      storeTimeoutMs: timeoutMs,
      onVerdict: (_call, verdict, failed) => metrics.judged(route, verdict, onFailure, failed),
    }),
  );
}

function askOf(
  { name, key, rule, tiers = [], shared = false, onlyTiers = false }: LimitConfig,
  route: string,
  req: HttpRequest,
  call: Call,
): RateAsk | undefined {
  const roles = tiers.length === 0 ? nobodys : (call.get(identity)?.roles ?? nobodys);
  const tier = tiers.find(([role]) => roles.includes(role));
  if (onlyTiers && tier === undefined) return undefined;
  // Quoted, so that no value can look like two.
  let who = '';
  for (const part of key) who += `${who === '' ? '' : ' '}${quoted(valueOf(part, route, req, call))}`;
  // The tier is part of the key: whoever changes it starts anew there.
  return {
    key: `${shared ? '' : route} ${name} ${tier?.[0] ?? ''} ${who}`,
    rule: tier?.[1] ?? rule,
    cost: 1,
    group: route,
  };
}

const nobodys: readonly string[] = [];

/** Strangers are told apart by their addresses, rather than all counted as one. */
function valueOf(part: KeyPart, route: string, req: HttpRequest, call: Call): string {
  const address = (): string => `ip ${addressOf(call) ?? ''}`;
  switch (part) {
    case 'user': {
      const who = call.get(identity);
      return who === undefined ? address() : `${who.method} ${who.issuer} ${call.get(userId) ?? who.subject}`;
    }
    case 'tenant':
      return call.get(tenantId) ?? address();
    case 'ip':
      return address();
    case 'route':
      return route;
    default:
      return req.fields.get(part.slice('header:'.length)) ?? address();
  }
}

/** Puts the decision into the answer. */
function told(limits: readonly LimitConfig[]): Layer<HttpRequest, HttpResponse> {
  const name = limits.map((each) => each.name).join('-');
  return (next) => (req, call) =>
    next(req, call).then(
      (res) => tell(res, name, call.get(rateDecision)),
      (thrown: unknown) => tell(refusal(HeddleError.from(thrown), call), name, call.get(rateDecision)),
    );
}

/** The answer to a request that was one too many; throws what is no such refusal. */
function refusal(error: HeddleError, call: Call): HttpResponse {
  if (error.reason !== 'RATE_LIMITED') throw error;
  const { code, reason, message } = error;
  const answer = jsonAnswer(429, { code, reason, message });
  answer.fields.set('retry-after', String(seconds(call.get(rateDecision)?.retryAfterMs ?? 1000)));
  return answer;
}

function tell(res: HttpResponse, name: string, decision: RateDecision | undefined): HttpResponse {
  if (decision === undefined) return res;
  const fields = res.fields.clone();
  const { limit, remaining, resetMs } = decision;
  fields.set('ratelimit-policy', `"${name}";q=${limit}`);
  fields.set('ratelimit', `"${name}";r=${Math.max(0, Math.floor(remaining))};t=${seconds(resetMs)}`);
  return { ...res, fields };
}

/** Whole seconds, rounded up; one where nobody can say. */
function seconds(ms: number): number {
  return Number.isFinite(ms) ? Math.max(1, Math.ceil(ms / 1000)) : 1;
}
