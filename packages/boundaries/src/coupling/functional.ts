import type { Capability } from '../model/system.ts';
import { eachPair, type PairTable } from './pair-table.ts';
import { objectsOf } from './words.ts';

/** What a dependency is worth that is declared and not counted. */
const declared = 0.8;

interface Found {
  value: number;
  evidence: string;
}

/**
 * Functional coupling: the greater of dependency and similarity. A counted dependency is worth (1 + ln calls) of the
 * largest such number in the system, a declared one 0.8, one that was watched 0.8 of its share of all calls of the
 * caller, since who conducts ten others is not coupled with each of them in particular; similarity is the Jaccard index of what the operations are about.
 */
export function addFunctionalCoupling(capabilities: readonly Capability[], table: PairTable): void {
  const found = new Map<number, Found>();
  const offer = (a: number, b: number, value: number, evidence: string): void => {
    const key = a < b ? a * table.size + b : b * table.size + a;
    const best = found.get(key);
    if (value > 0 && (best === undefined || value > best.value)) found.set(key, { value, evidence });
  };
  addDependencies(capabilities, offer);
  addSimilarities(capabilities, offer);
  for (const [key, { value, evidence }] of found) {
    const a = Math.floor(key / table.size);
    table.add(a, key - a * table.size, { criterion: 'functional', value, evidence });
  }
}

type Offer = (a: number, b: number, value: number, evidence: string) => void;

function addDependencies(capabilities: readonly Capability[], offer: Offer): void {
  const position = new Map(capabilities.map(({ name }, at) => [name, at]));
  const calls = new Map<number, { count: number; from: number; to: number }>();
  const size = capabilities.length;
  capabilities.forEach(({ name, dependencies }, from) => {
    for (const { on, calls: count, share } of dependencies) {
      const to = position.get(on) as number;
      if (share !== undefined) {
        const part = `${Math.round(share * 100)} % of its calls`;
        offer(
          from,
          to,
          declared * share,
          `${name} calls ${on}: ${part}${count === undefined ? '' : ` (${count})`}`,
        );
        continue;
      }
      if (count === undefined) {
        offer(from, to, declared, `${name} depends on ${on}`);
        continue;
      }
      const key = from < to ? from * size + to : to * size + from;
      const entry = calls.get(key);
      if (entry === undefined) calls.set(key, { count, from, to });
      else entry.count += count;
    }
  });
  // Not by spreading: there may be hundreds of thousands.
  let most = 0;
  for (const { count } of calls.values()) most = Math.max(most, count);
  for (const { count, from, to } of calls.values()) {
    if (count === 0) continue;
    const value = strength(count) / strength(most);
    offer(
      from,
      to,
      value,
      `${count} calls between ${capabilities[from]?.name} and ${capabilities[to]?.name}`,
    );
  }
}

/** Ten times the calls are not ten times the coupling. Below one call in the observation it falls to nothing. */
function strength(calls: number): number {
  return calls < 1 ? calls : 1 + Math.log(calls);
}

function addSimilarities(capabilities: readonly Capability[], offer: Offer): void {
  const objects = capabilities.map(({ operations }) => objectsOf(operations));
  const users = new Map<string, number[]>();
  objects.forEach((own, at) => {
    for (const word of own) {
      const list = users.get(word);
      if (list === undefined) users.set(word, [at]);
      else list.push(at);
    }
  });
  eachPair(users.values(), (a, b) => {
    const [mine, theirs] = [objects[a] as Set<string>, objects[b] as Set<string>];
    const shared = new Set([...mine].filter((word) => theirs.has(word)));
    const all = mine.size + theirs.size - shared.size;
    offer(a, b, shared.size / all, `operations of both are about ${[...shared].toSorted().join(', ')}`);
  });
}
