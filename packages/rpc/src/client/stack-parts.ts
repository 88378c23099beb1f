import { type Call, type Layer, tenantId, userId } from '@heddle/kernel';
import type { Decision, RateLimitOptions } from '@heddle/traffic';
import { type DecisionLog, explained, recording } from '@heddle/upstream';
import type { ClientStackOptions } from './stack-options.ts';

/** The recording layer of a client, with how the layers of its stack stand. */
export function explain<Req, Res>(options: ClientStackOptions<Req, Res>, log: DecisionLog): Layer<Req, Res> {
  const { group, operation, classify, answer } = options;
  return explained({
    log,
    side: 'client',
    target: group.target,
    operation,
    classify,
    ...(answer !== undefined && { answer }),
    layers: () => standing(options),
  });
}

function standing<Req, Res>(options: ClientStackOptions<Req, Res>): Record<string, string> {
  const { budget, serviceBreaker, failover, adaptive } = options;
  return {
    'retry budget': `${budget.available} retries left`,
    ...(serviceBreaker !== undefined && { 'service breaker': serviceBreaker.state.mode }),
    ...(failover !== undefined && { failover: failover.state.state.mode }),
    ...(adaptive !== undefined && { 'adaptive limit': limitText(adaptive.state) }),
  };
}

function limitText({ limit, inFlight }: { readonly limit: number; readonly inFlight: number }): string {
  return `${Math.floor(limit)} at a time, ${inFlight} in flight`;
}

/** Writes what was decided after an attempt into the record of its call. */
export function noteDecision(call: Call, decision: Decision): void {
  call.get(recording)?.decided(decision);
}

/** The same options, with each verdict written into the record of its call. */
export function noteVerdict<Req>(options: RateLimitOptions<Req>): RateLimitOptions<Req> {
  return {
    ...options,
    onVerdict: (call, verdict, failed) => {
      const texts = verdict.decisions.map(({ limit, remaining }) => `${remaining} of ${limit} left`);
      const why = failed === undefined ? '' : `; the store could not be asked: ${failed.message}`;
      call.get(recording)?.note('rate limit', `${texts.join(', ')}${why}`);
      options.onVerdict?.(call, verdict, failed);
    },
  };
}

/** Equal for calls that get the same answer: the same request for the same tenant and user. */
export function answerKey<Req>(
  identity: (req: Req) => string | undefined,
): (req: Req, call: Call) => string | undefined {
  return (req, call) => {
    const own = identity(req);
    // As JSON, so that no tenant or user can be named to look like another pair.
    return own === undefined ? undefined : `${JSON.stringify([call.get(tenantId), call.get(userId)])}${own}`;
  };
}
