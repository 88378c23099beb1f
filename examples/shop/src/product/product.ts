import { invalid } from '../fields.ts';

/** Something that is sold. Price in the smallest unit of the shop's currency. */
export interface Product {
  readonly productId: string;
  readonly name: string;
  readonly category: string;
  readonly priceMinor: number;
  readonly weightGrams: number;
}

/** Which products to list. `page` counts from 1. */
export interface Listing {
  readonly query: string | undefined;
  readonly category: string | undefined;
  readonly page: number;
  readonly size: number;
}

/** One page, and how many there are in all. */
export interface ProductPage {
  readonly products: readonly Product[];
  readonly total: number;
}

/** Reads `?query=&category=&page=&size=`. Page 1 of 20 by default; at most 100 a page and 10000 products deep. */
export function listingOf(parameters: URLSearchParams): Listing {
  const page = number(parameters, 'page', 1, 10_000);
  const size = number(parameters, 'size', 20, 100);
  if (page * size > 10_000)
    throw invalid('page times size must be at most 10000; search for something narrower');
  return { query: text(parameters, 'query'), category: text(parameters, 'category'), page, size };
}

function number(parameters: URLSearchParams, name: string, fallback: number, most: number): number {
  const given = parameters.get(name);
  if (given === null) return fallback;
  const value = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  if (value >= 1 && value <= most) return value;
  throw invalid(`${name} must be a whole number from 1 to ${most}`);
}

function text(parameters: URLSearchParams, name: string): string | undefined {
  const value = parameters.get(name)?.trim();
  if (value === undefined || value === '') return undefined;
  if (value.length <= 100) return value;
  throw invalid(`${name} must be at most 100 characters long`);
}
