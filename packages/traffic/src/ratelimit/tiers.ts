import { type Call, HeddleError } from '@heddle/kernel';
import { type RateRule, rateRule } from './rate-rule.ts';
import type { RateAsk } from './rate-store.ts';

/** Which calls of a request count against what. */
export type RateLimits<Req> = (req: Req, call: Call) => readonly RateAsk[];

/** A limit whose size goes by the caller's role. */
export interface TierOptions<Req> {
  /** What is limited; part of the key, so that two limits never share a state. */
  readonly name: string;
  /** Who is limited: a user, an API key, a tenant, an address, a route, or several together. Undefined: not limited. */
  readonly key: (req: Req, call: Call) => string | undefined;
  /** The caller's role, by an edge that has authenticated it. */
  readonly role: (req: Req, call: Call) => string | undefined;
  readonly tiers: Readonly<Record<string, RateRule>>;
  /** The tier of those without a role or with one that has no tier. */
  readonly otherwise: string;
  /** What a call takes. Default 1. */
  readonly cost?: (req: Req, call: Call) => number;
}

/** The usual tiers: user 100, VIP 300, internal 500 a second, as token buckets. */
export const usualTiers: Readonly<Record<'user' | 'vip' | 'internal', RateRule>> = {
  user: { algorithm: 'token_bucket', limit: 100, windowMs: 1000 },
  vip: { algorithm: 'token_bucket', limit: 300, windowMs: 1000 },
  internal: { algorithm: 'token_bucket', limit: 500, windowMs: 1000 },
};

/** Limits by role. Throws `BAD_OPTIONS` for a rule that makes no sense, or if `otherwise` is none of the tiers. */
export function byTier<Req>(options: TierOptions<Req>): RateLimits<Req> {
  const { name, key, role, tiers, otherwise, cost } = options;
  for (const rule of Object.values(tiers)) rateRule(rule);
  const fallback = Object.hasOwn(tiers, otherwise) ? tiers[otherwise] : undefined;
  if (fallback === undefined) {
    const message = `rate limit: otherwise: expected one of ${Object.keys(tiers).join(', ')}, found ${JSON.stringify(otherwise)}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_OPTIONS', message, sent: false });
  }
  return (req, call) => {
    const who = key(req, call);
    if (who === undefined) return [];
    const given = role(req, call);
    const known = given !== undefined && Object.hasOwn(tiers, given) ? given : otherwise;
    const rule = tiers[known] ?? fallback;
    // The tier is part of the key: whoever changes it starts anew there.
    return [{ key: `${name} ${known} ${who}`, rule, cost: cost?.(req, call) ?? 1 }];
  };
}
