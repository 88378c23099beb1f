/** A call relation between things, and how often. */
export interface Call {
  readonly from: number;
  readonly to: number;
  readonly volume: number;
}

/** The measures of the literature on decomposing monoliths. Compare them only at an equal number of groups. */
export interface DecompositionMetrics {
  /** Structural modularity: density of connections within groups minus that between them. Higher is better. */
  readonly sm: number;
  /** Inter-partition calls: their share, by 1 + ln(volume). Lower is better. */
  readonly icp: number;
  /** Interface number: connected pairs across groups, per group. Lower is better. */
  readonly ifn: number;
  /** Non-extreme distribution: the share of things in groups of fewer than 5 or more than 20. Lower is better. */
  readonly ned: number;
  /** Business context purity: the mean ln of the use cases that touch a group. Lower is better; undefined without any. */
  readonly bcp: number | undefined;
}

/**
 * SM, ICP, IFN, NED and BCP as in Kalia et al., "Mono2Micro", ESEC/FSE 2021. `groups` are numbered from 0 without gaps;
 * calls of a thing to itself are left out; `useCases` list the things that each touches.
 */
export function decompositionMetrics(
  groups: Int32Array,
  calls: readonly Call[],
  useCases: readonly (readonly number[])[],
): DecompositionMetrics {
  const sizes = sizesOf(groups);
  const real = calls.filter(({ from, to, volume }) => from !== to && volume > 0);
  const across = ({ from, to }: Call): boolean => groups[from] !== groups[to];
  const weigh = (some: readonly Call[]): number =>
    some.reduce((sum, { volume }) => sum + 1 + Math.log(Math.max(1, volume)), 0);
  const all = weigh(real);
  const pairs = connectedPairs(groups, real);
  const fair = sizes.filter((size) => size >= 5 && size <= 20).reduce((sum, size) => sum + size, 0);
  return {
    sm: structuralModularity(sizes, pairs),
    icp: all === 0 ? 0 : weigh(real.filter(across)) / all,
    ifn: sizes.length === 0 ? 0 : pairs.crossing / sizes.length,
    ned: groups.length === 0 ? 0 : 1 - fair / groups.length,
    bcp: businessContextPurity(groups, sizes.length, useCases),
  };
}

function sizesOf(groups: Int32Array): number[] {
  const sizes: number[] = [];
  for (const group of groups) sizes[group] = (sizes[group] ?? 0) + 1;
  return sizes;
}

interface ConnectedPairs {
  readonly within: ReadonlyMap<number, number>;
  /** By the two groups: the lower times 2 ** 26 plus the higher. */
  readonly between: ReadonlyMap<number, number>;
  readonly crossing: number;
}

function connectedPairs(groups: Int32Array, calls: readonly Call[]): ConnectedPairs {
  // Sorted numbers instead of a set: there may be hundreds of thousands.
  const pairs = Float64Array.from(
    calls,
    ({ from, to }) => Math.min(from, to) * 2 ** 26 + Math.max(from, to),
  ).sort();
  const within = new Map<number, number>();
  const between = new Map<number, number>();
  let crossing = 0;
  pairs.forEach((pair, at) => {
    if (at > 0 && pairs[at - 1] === pair) return;
    const from = Math.floor(pair / 2 ** 26);
    const [a, b] = [groups[from] as number, groups[pair - from * 2 ** 26] as number];
    if (a === b) {
      within.set(a, (within.get(a) ?? 0) + 1);
      return;
    }
    crossing++;
    const key = Math.min(a, b) * 2 ** 26 + Math.max(a, b);
    between.set(key, (between.get(key) ?? 0) + 1);
  });
  return { within, between, crossing };
}

function structuralModularity(sizes: readonly number[], { within, between }: ConnectedPairs): number {
  const count = sizes.length;
  if (count === 0) return 0;
  let cohesion = 0;
  for (const [group, edges] of within) cohesion += edges / (sizes[group] as number) ** 2;
  let coupling = 0;
  for (const [key, edges] of between) {
    const a = Math.floor(key / 2 ** 26);
    coupling += edges / ((sizes[a] as number) * (sizes[key - a * 2 ** 26] as number));
  }
  return cohesion / count - (count === 1 ? 0 : coupling / ((count * (count - 1)) / 2));
}

function businessContextPurity(
  groups: Int32Array,
  count: number,
  useCases: readonly (readonly number[])[],
): number | undefined {
  if (useCases.length === 0) return undefined;
  const touching = new Int32Array(count);
  for (const members of useCases) {
    for (const group of new Set(members.map((member) => groups[member] as number))) {
      touching[group] = (touching[group] as number) + 1;
    }
  }
  // A group that no use case touches is as pure as one that a single one does.
  return touching.reduce((sum, cases) => sum + Math.log(Math.max(1, cases)), 0) / count;
}
