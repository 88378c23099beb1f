import type { Random } from '@heddle/kernel';
import { seededRandom } from '@heddle/kernel/simulated';
import { cities, finishes, firstNames, kinds, lastNames, makers, streets } from './words.ts';

/** The shop has one currency. */
export const currency = 'EUR';

/** A product as the generator makes it; the product and the inventory service each keep their part. */
export interface CatalogProduct {
  readonly productId: string;
  readonly name: string;
  readonly category: string;
  readonly priceMinor: number;
  readonly weightGrams: number;
  readonly stock: number;
}

/** A customer as the generator makes one. */
export interface CatalogUser {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly street: string;
  readonly postcode: string;
  readonly city: string;
  readonly country: string;
}

/** How many products there are at first start. */
export const productCount = 5000;
/** How many people. */
export const userCount = 2000;

/** `p00001` and on: all parts agree on the ids without asking each other. */
export const productIdAt = (index: number): string => `p${String(index + 1).padStart(5, '0')}`;
/** `u00001` and on. */
export const userIdAt = (index: number): string => `u${String(index + 1).padStart(5, '0')}`;

/** The same seed gives the same products, whatever else was generated before. */
export function catalogProducts(seed: number, count: number = productCount): CatalogProduct[] {
  const random = seededRandom(seed);
  const taken = new Set<string>();
  return Array.from({ length: count }, (_, index) => product(random, index, taken));
}

/** The same seed gives the same people. */
export function catalogUsers(seed: number, count: number = userCount): CatalogUser[] {
  const random = seededRandom(seed ^ 0x5eed);
  return Array.from({ length: count }, (_, index) => person(random, index));
}

function product(random: Random, index: number, taken: Set<string>): CatalogProduct {
  const kind = pick(random, kinds);
  const [lightest, heaviest] = kind.weightGrams;
  return {
    productId: productIdAt(index),
    name: productName(random, kind, taken),
    category: kind.category,
    priceMinor: price(kind.usualPriceMinor * Math.exp(kind.priceSpread * bell(random))),
    weightGrams: lightest + Math.floor(random.float() ** 2 * (heaviest - lightest)),
    stock: stock(random),
  };
}

/** Maker, quality, noun and finish; the few that meet twice get a model number. */
function productName(random: Random, kind: (typeof kinds)[number], taken: Set<string>): string {
  const words = [pick(random, makers), pick(random, kind.qualities), pick(random, kind.nouns)].join(' ');
  const name = `${words}, ${pick(random, finishes)}`;
  for (let model = 2; ; model += 1) {
    const candidate = taken.has(name) ? `${name} No. ${model}` : name;
    if (taken.has(candidate)) continue;
    taken.add(candidate);
    return candidate;
  }
}

/** Whole euros less a cent (or five), as shops do; never below 99 cents. */
function price(minor: number): number {
  const euros = Math.max(1, Math.round(minor / 100));
  return euros * 100 - (euros < 20 ? 1 : 5);
}

/** Plenty of nearly everything, little or none of one in fifty. */
function stock(random: Random): number {
  if (random.float() < 0.02) return Math.floor(random.float() * 6);
  return 500 + Math.floor(random.float() * 20_000);
}

function person(random: Random, index: number): CatalogUser {
  const first = pick(random, firstNames);
  const last = pick(random, lastNames);
  const { city, country, postcode } = pick(random, cities);
  return {
    userId: userIdAt(index),
    name: `${first} ${last}`,
    email: `${first}.${last}.${index + 1}@example.com`.toLowerCase(),
    street: `${pick(random, streets)} ${1 + Math.floor(random.float() * 140)}`,
    postcode: postcode.replaceAll('9', () => String(Math.floor(random.float() * 10))),
    city,
    country,
  };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.float() * from.length)] as T;
}

/** About standard normal: the sum of twelve uniforms less six. */
function bell(random: Random): number {
  let sum = -6;
  for (let n = 0; n < 12; n += 1) sum += random.float();
  return sum;
}
