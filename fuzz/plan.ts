// The first byte of an input: all that happens besides the bytes.
import { Chance } from './chance.ts';

/** What the service, or the reader of an answer, does. */
export const manners = ['echo', 'echo', 'early', 'pour', 'refuse', 'leave', 'trailers', 'slow'] as const;

/** See `manners`. */
export type Manner = (typeof manners)[number];

/** See `planOf`. */
export interface Plan {
  readonly manner: Manner;
  /** The input is cut here: ascending, none at its ends. */
  readonly cuts: readonly number[];
  /** The peer finishes sending after the bytes. */
  readonly finishes: boolean;
  /** The peer says no more and stays, until time has run out for it; otherwise the connection is lost. */
  readonly stays: boolean;
}

const mostCuts = 40;

/** What the plan byte of an input says: three bits of manner, three of cuts, two of how it ends. */
export function planOf(input: Uint8Array): Plan {
  const byte = input[0] ?? 0;
  return {
    manner: manners[byte & 7] ?? 'echo',
    cuts: cutsOf((byte >> 3) & 7, input.length - 1),
    finishes: (byte & 0x40) !== 0,
    stays: (byte & 0x80) !== 0,
  };
}

function cutsOf(kind: number, length: number): number[] {
  if (kind === 0 || length < 2) return [];
  // Byte by byte, where that is not too long.
  if (kind === 1 && length < 400) return Array.from({ length: length - 1 }, (_, at) => at + 1);
  const chance = new Chance(kind * 65_537 + length);
  const count = kind === 1 ? mostCuts : kind * 2;
  const places = new Set(Array.from({ length: count }, () => 1 + chance.below(length - 1)));
  return [...places].toSorted((a, b) => a - b);
}

/** The bytes after the plan, cut. */
export function chunksOf(input: Uint8Array, plan: Plan): Buffer[] {
  const bytes = Buffer.from(input.subarray(1));
  let from = 0;
  return [...plan.cuts, bytes.length].map((to) => {
    // A copy: a chunk belongs to whoever it is handed to.
    const chunk = Buffer.from(bytes.subarray(from, to));
    from = to;
    return chunk;
  });
}

/** An input of these bytes. */
export function withPlan(plan: number, bytes: Uint8Array | string): Uint8Array {
  return Buffer.concat([Buffer.of(plan), typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes]);
}
