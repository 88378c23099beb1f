import { type Call, type CallKey, callKey } from '@heddle/kernel';
import { peer } from '@heddle/wire';

/** Who has asked, by the word of the trusted proxies in between. Set where there are any. */
export const clientAddress: CallKey<string | undefined> = callKey<string | undefined>(
  'client-address',
  undefined,
);

/** The address that limits and policies go by: the client's, or that of whoever is at the other end. */
export function addressOf(call: Call): string | undefined {
  return call.get(clientAddress) ?? call.get(peer)?.address.host;
}
