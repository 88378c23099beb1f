import { refused } from '../fields.ts';

/** What a country's parcels cost and how long they take. */
interface Rate {
  readonly baseMinor: number;
  readonly perKiloMinor: number;
  readonly days: number;
}

const rates: Readonly<Record<string, Rate>> = {
  DE: { baseMinor: 490, perKiloMinor: 40, days: 2 },
  AT: { baseMinor: 590, perKiloMinor: 60, days: 3 },
  NL: { baseMinor: 590, perKiloMinor: 60, days: 3 },
  FR: { baseMinor: 690, perKiloMinor: 80, days: 3 },
  PL: { baseMinor: 690, perKiloMinor: 70, days: 4 },
  IT: { baseMinor: 790, perKiloMinor: 90, days: 4 },
  ES: { baseMinor: 890, perKiloMinor: 110, days: 5 },
};

/** A price and a time for one parcel. */
export interface Quote {
  readonly costMinor: number;
  readonly days: number;
}

/** Whole kilograms, begun ones counted. Throws `DESTINATION_NOT_SERVED`. */
export function quote(country: string, weightGrams: number): Quote {
  const rate = Object.hasOwn(rates, country) ? rates[country] : undefined;
  if (rate === undefined) {
    throw refused('DESTINATION_NOT_SERVED', `we ship to ${Object.keys(rates).join(', ')}, not to ${country}`);
  }
  return { costMinor: rate.baseMinor + rate.perKiloMinor * Math.ceil(weightGrams / 1000), days: rate.days };
}
