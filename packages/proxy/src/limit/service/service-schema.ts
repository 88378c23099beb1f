import type { RateRule } from '@heddle/traffic';
import { list, object, type Read, text } from '../../model/document.ts';
import { rateRuleOf } from '../limit-schema.ts';

/** A part of what an Envoy says of a request. */
export interface DescriptorEntry {
  readonly key: string;
  /** Undefined: whatever it is; each value is counted by itself. */
  readonly value?: string;
}

/** A limit that Envoys ask about: an item of the key `rateLimitService` of a route. */
export interface ServedLimit {
  /** As Envoy's filter has it. */
  readonly domain: string;
  /** The entries of a descriptor, all of them, in their order. */
  readonly match: readonly DescriptorEntry[];
  readonly rule: RateRule;
}

const short: Read<string> = text('1 to 200 characters', (value) => value.length > 0 && value.length <= 200);

const servedLimit: Read<ServedLimit> = (at) => {
  const made = object<{ domain: string; match: DescriptorEntry[]; rule: RateRule }>(
    {
      domain: short,
      match: list(object<{ key: string; value?: string }>({ key: short, value: short }, ['key']), 20),
      rule: rateRuleOf,
    },
    ['domain', 'match', 'rule'],
  )(at);
  if (made === undefined) return undefined;
  if (made.match.length === 0) return at.problem('"match" needs at least one entry');
  // An Envoy says when a request comes, not when it ends, and is told yes or no.
  const { rule } = made;
  if (rule.algorithm === 'concurrency')
    return at.problem('"concurrency" cannot be counted for an Envoy, which does not say when requests end');
  if (rule.algorithm === 'leaky_bucket' && (rule.maxDelayMs ?? 0) > 0)
    return at.problem('"maxDelayMs" cannot hold for an Envoy, which is told yes or no');
  return made;
};

/** Reads the key `rateLimitService` of a route. */
export const servedLimits: Read<ServedLimit[]> = list(servedLimit, 1000);
