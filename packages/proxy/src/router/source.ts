import { type Call, HeddleError } from '@heddle/kernel';
import type { HttpRequest } from '@heddle/wire';
import type { Authenticator } from '../auth/authenticator.ts';
import { inRanges } from '../forward/address-range.ts';
import { addressOf } from '../forward/client-address.ts';
import type { RouteConfig } from '../model/route.ts';

/**
 * Whether a route is for whoever asks; undefined for one that does not look at that. The proof is looked at again by the
 * route that is chosen: this only chooses, and a proof that is no good is no proof of being somebody else. Rejects where it
 * cannot be found out who asks: then the request must not go on to a route for others.
 */
export function isForSource(
  { match: { source }, auth }: RouteConfig,
  zones: Readonly<Record<string, readonly string[]>>,
  authenticator: Authenticator,
): ((req: HttpRequest, call: Call) => Promise<boolean>) | undefined {
  if (source === undefined) return undefined;
  const inZone = inRanges(source.zones.flatMap((name) => zones[name] ?? []));
  const subjects = new Set(source.subjects);
  return async (req, call) => {
    if (source.zones.length > 0 && !inZone(addressOf(call) ?? '')) return false;
    if (subjects.size === 0 || auth === undefined) return true;
    try {
      return subjects.has((await authenticator.identify(req, call, auth)).subject);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.code === 'unauthenticated') return false;
      throw error;
    }
  };
}
