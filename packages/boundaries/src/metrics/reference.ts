/** Two partitions of the same things, as the label of each. */
type Labels = readonly (string | number)[];

/**
 * MoJoFM in percent: 100 for equal partitions, 0 for one as far as can be (Wen, Tzerpos, "An effectiveness measure
 * for software clustering algorithms", IWPC 2004). It is of `found` against `reference`, not the other way round.
 */
export function mojofm(found: Labels, reference: Labels): number {
  requireAlike(found, reference);
  const table = contingency(found, reference);
  let moves = 0;
  const choices = table.map((row) => {
    const most = Math.max(...row);
    moves += row.reduce((sum, count) => sum + count, 0) - most;
    return row.flatMap((count, at) => (count === most ? [at] : []));
  });
  const joins = table.length - matching(choices, table[0]?.length ?? 0);
  const worst = worstMoves(reference);
  return worst === 0 ? 100 : 100 * (1 - (moves + joins) / worst);
}

/** The adjusted Rand index: 1 for equal partitions, about 0 for chance (Hubert, Arabie, 1985). */
export function adjustedRand(found: Labels, reference: Labels): number {
  requireAlike(found, reference);
  const pairs = (count: number): number => (count * (count - 1)) / 2;
  const sum = (counts: Iterable<number>): number => [...counts].reduce((all, count) => all + pairs(count), 0);
  const both = countsOf(found.map((label, at) => `${label}\n${reference[at]}`));
  const together = sum(both.values());
  const [mine, theirs] = [sum(countsOf(found).values()), sum(countsOf(reference).values())];
  const all = pairs(found.length);
  const expected = all === 0 ? 0 : (mine * theirs) / all;
  const most = (mine + theirs) / 2;
  // Both of one group, or both of single things: equal, though there is nothing to adjust.
  return most === expected ? 1 : (together - expected) / (most - expected);
}

function requireAlike(found: Labels, reference: Labels): void {
  if (found.length !== reference.length) {
    throw new RangeError(
      `two partitions of the same things: found ${found.length} and ${reference.length} labels`,
    );
  }
}

function countsOf(labels: Labels): Map<string | number, number> {
  const counts = new Map<string | number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

function contingency(found: Labels, reference: Labels): number[][] {
  const columns = [...new Set(reference)];
  const column = new Map(columns.map((label, at) => [label, at]));
  const rows = new Map<string | number, number[]>();
  found.forEach((label, at) => {
    const row = rows.get(label) ?? columns.map(() => 0);
    const place = column.get(reference[at] as string | number) as number;
    row[place] = (row[place] as number) + 1;
    rows.set(label, row);
  });
  return [...rows.values()];
}

/** The most groups that can each keep a reference group of their own. */
function matching(choices: readonly (readonly number[])[], columns: number): number {
  const taken = new Int32Array(columns).fill(-1);
  const place = (row: number, seen: Set<number>): boolean => {
    for (const column of choices[row] as readonly number[]) {
      if (seen.has(column)) continue;
      seen.add(column);
      if ((taken[column] as number) >= 0 && !place(taken[column] as number, seen)) continue;
      taken[column] = row;
      return true;
    }
    return false;
  };
  return choices.filter((_, row) => place(row, new Set())).length;
}

/** The most moves and joins that any partition can be away from this one. */
function worstMoves(reference: Labels): number {
  let groups = 0;
  for (const size of [...countsOf(reference).values()].sort((a, b) => a - b)) if (groups < size) groups++;
  return reference.length - groups;
}
