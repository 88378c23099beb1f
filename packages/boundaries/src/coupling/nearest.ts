import type { Relation } from '../model/system.ts';

/** How many neighbours of each count where nearly all are a little alike. */
const nearest = 4;

/**
 * Similar vocabulary is found between nearly all pairs of a code base, and says something only of the most similar:
 * of such relations those stay that are among the four strongest of one of their ends. All others stay.
 */
export function nearestOnly(relations: readonly Relation[]): Relation[] {
  const vague = relations.filter(({ criterion }) => criterion === 'vocabulary');
  if (vague.length === 0) return [...relations];
  const ofEach = new Map<string, Relation[]>();
  for (const relation of vague) {
    for (const end of [relation.a, relation.b]) {
      const list = ofEach.get(end);
      if (list === undefined) ofEach.set(end, [relation]);
      else list.push(relation);
    }
  }
  const kept = new Set([...ofEach.values()].flatMap((own) => own.toSorted(strongest).slice(0, nearest)));
  return relations.filter((relation) => relation.criterion !== 'vocabulary' || kept.has(relation));
}

/** By strength, then by name, so that the order of the input changes nothing. */
function strongest(x: Relation, y: Relation): number {
  if (x.value !== y.value) return y.value - x.value;
  const [first, second] = [pairName(x), pairName(y)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function pairName({ a, b }: Relation): string {
  return a < b ? `${a}\n${b}` : `${b}\n${a}`;
}
