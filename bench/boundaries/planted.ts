// Systems whose groups are known because they were made so.
import { capabilityOf, type System, systemOf } from '@heddle/boundaries';

/** How a system is planted. */
export interface Planting {
  readonly size: number;
  readonly groups: number;
  /** Dependencies in all; each is between two capabilities that had none. */
  readonly dependencies: number;
  /** The share of dependencies that go anywhere instead of into the own group. */
  readonly noise: number;
  readonly seed: number;
}

/** A planted system and the group of each capability, in the order of their names. */
export interface Planted {
  readonly system: System;
  readonly truth: readonly number[];
  /** The same as pairs of positions, for libraries that group graphs. */
  readonly edges: readonly (readonly [from: number, to: number])[];
}

/** Makes a system. The same planting makes the same one. */
export function plant({ size, groups, dependencies, noise, seed }: Planting): Planted {
  const random = linear(seed);
  const own = size / groups;
  const seen = new Set<number>();
  const edges: [number, number][] = [];
  while (edges.length < dependencies) {
    const from = Math.floor(random() * size);
    const home = Math.floor(from / own) * own;
    const to = Math.floor(random() < noise ? random() * size : home + random() * own);
    const key = Math.min(from, to) * size + Math.max(from, to);
    if (from === to || seen.has(key)) continue;
    seen.add(key);
    edges.push([from, to]);
  }
  const on = Map.groupBy(edges, ([from]) => from);
  const nameOf = (at: number): string => `c${String(at).padStart(6, '0')}`;
  const capabilities = Array.from({ length: size }, (_, at) =>
    capabilityOf({
      name: nameOf(at),
      dependencies: (on.get(at) ?? []).map(([, to]) => ({ on: nameOf(to) })),
    }),
  );
  const truth = capabilities.map((_, at) => Math.floor(at / own));
  return { system: systemOf({ name: 'planted', capabilities }), truth, edges };
}

/** Chance by a seed (Lehmer, 48271 modulo 2^31 - 1). */
export function linear(seed: number): () => number {
  let state = (seed * 7919 + 12_345) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
