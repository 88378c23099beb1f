import { type Call, userId } from '@heddle/kernel';
import type { HttpRequest, HttpService } from '@heddle/wire';
import type { Sticky } from '../model/route.ts';
import { cookie } from './cookie.ts';

/** A way that a route's traffic may go. */
export interface WeightedWay {
  readonly service: HttpService;
  readonly weight: number;
}

/** The way of requests that carry a certain header or cookie. */
export interface VariantWay {
  readonly from: 'header' | 'cookie';
  readonly name: string;
  readonly value: string;
  readonly service: HttpService;
}

/** What `chosen` chooses from, and by what. */
export interface Choice {
  /** At least one has a weight above 0. */
  readonly shares: readonly WeightedWay[];
  readonly variants: readonly VariantWay[];
  readonly sticky: Sticky | undefined;
  /** So that one user is not in the small share of every route. */
  readonly salt: string;
}

/**
 * Sends each request one of several ways: the first variant that it carries, else by weight. With `sticky` the same
 * user (or header, or cookie) goes the same way each time, as long as the weights stay, and growing a share moves
 * nobody but those who come to it. Without what is asked for, chance decides.
 */
export function chosen({ shares, variants, sticky, salt }: Choice): HttpService {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  const only = shares.length === 1 ? shares[0] : undefined;
  if (only !== undefined && variants.length === 0) return only.service;
  const last = shares.at(-1) as WeightedWay;
  return (req, call) => {
    const variant = variants.find((each) => carries(each, req));
    if (variant !== undefined) return variant.service(req, call);
    const key = sticky === undefined ? undefined : stickyKey(sticky, req, call);
    const place = key === undefined ? call.runtime.random.float() : unitHash(`${salt} ${key}`);
    let left = place * total;
    const way = shares.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    return (way ?? last).service(req, call);
  };
}

function carries({ from, name, value }: VariantWay, req: HttpRequest): boolean {
  return from === 'cookie' ? cookie(req.fields, name) === value : req.fields.get(name) === value;
}

function stickyKey({ by, name }: Sticky, req: HttpRequest, call: Call): string | undefined {
  switch (by) {
    case 'user':
      return call.get(userId);
    case 'header':
      return req.fields.get(name);
    case 'cookie':
      return cookie(req.fields, name);
  }
}

/** FNV-1a with the finaliser of MurmurHash3, as a number in [0, 1): the same in every process and version. */
function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
