import { HeddleError } from '@heddle/kernel';
import { type RateRule, rateRule } from '@heddle/traffic';
import { flag, list, number, object, oneOf, type Read, record, text, whole } from '../model/document.ts';

/** What a limit counts by: `user`, `tenant`, `ip`, `route`, or a header as `header:x-device`. */
export type KeyPart = 'user' | 'tenant' | 'ip' | 'route' | `header:${string}`;

/** One limit of a route. */
export interface LimitConfig {
  /** In the `RateLimit` fields, and part of the key. */
  name: string;
  /** Together they say who shares a state. */
  key: KeyPart[];
  rule: RateRule;
  /** Instead of `rule` for those who have a role: the first of these that they have. */
  tiers?: readonly (readonly [role: string, rule: RateRule])[];
  /** One state over all routes that have a limit of this name. Default: each route counts by itself. */
  shared?: boolean;
  /** Only callers who have a tier are counted. Not in a file: the gateway adds the quotas of managed API keys so. */
  onlyTiers?: boolean;
}

interface RuleDocument {
  algorithm: RateRule['algorithm'];
  limit: number;
  windowMs?: number;
  burst?: number;
  maxDelayMs?: number;
}

const day = 86_400_000;

/** Reads what a limit allows for one key. */
export const rateRuleOf: Read<RateRule> = (at) => {
  const made = object<RuleDocument>(
    {
      algorithm: oneOf('fixed_window', 'sliding_window', 'token_bucket', 'leaky_bucket', 'concurrency'),
      limit: whole(1, 1_000_000_000),
      windowMs: whole(1, day),
      burst: number(1, 1_000_000_000),
      maxDelayMs: whole(0, 600_000),
    },
    ['algorithm', 'limit'],
  )(at);
  if (made === undefined) return undefined;
  try {
    return rateRule(made as RateRule);
  } catch (thrown) {
    return at.problem(HeddleError.from(thrown).message);
  }
};

const keyPart: Read<KeyPart> = text('user, tenant, ip, route or header:<name in lower case>', (value) =>
  /^(user|tenant|ip|route|header:[a-z0-9-]{1,100})$/.test(value),
) as Read<KeyPart>;

const limit: Read<LimitConfig> = (at) => {
  const made = object<Omit<LimitConfig, 'onlyTiers'>>(
    {
      name: text('1 to 50 of a-z, 0-9 and "-"', (value) => /^[a-z0-9-]{1,50}$/.test(value)),
      key: list(keyPart, 5),
      rule: rateRuleOf,
      tiers: record('a role', (role) => role !== '', rateRuleOf),
      shared: flag,
    },
    ['name', 'key', 'rule'],
  )(at);
  if (made === undefined) return undefined;
  return made.key.length > 0 ? made : at.problem('"key" needs at least one part');
};

/** Reads the key `rateLimit` of a route. */
export const limitConfigs: Read<LimitConfig[]> = list(limit, 10);
