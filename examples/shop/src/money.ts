import { HeddleError } from '@heddle/kernel';
import { currency } from './catalog/catalog.ts';
import type { Money } from './gen/shop/money/v1/money_pb.ts';

/** An amount for a contract: the wire has 64 bits, we count in whole cents within 2^53. */
export function money(minor: number, inCurrency: string = currency): { currency: string; minor: bigint } {
  return { currency: inCurrency, minor: BigInt(minor) };
}

/** The cents of an amount that came. Rejects with `BAD_AMOUNT` if there is none or it cannot be ours. */
export function minorOf(amount: Money | undefined): number {
  const minor = Number(amount?.minor);
  if (amount?.currency === currency && Number.isSafeInteger(minor) && minor >= 0) return minor;
  const message = `an amount in ${currency}, of 0 or more, was expected`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_AMOUNT', message });
}
