/** How many letters have to be put in, left out, exchanged or swapped with their neighbour to make one word of the other. */
function distance(left: string, right: string): number {
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1];
      const swapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      next[j] = Math.min(
        (row[j] as number) + 1,
        (next[j - 1] as number) + 1,
        (row[j - 1] as number) + (same ? 0 : 1),
        swapped ? (before[j - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = row;
    row = next;
  }
  return row[right.length] as number;
}

/** The word that was probably meant: at most a third of its letters are wrong, or what was typed is its beginning. Undefined: none. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const near = words
    .map((word) => ({ word, wrong: distance(typed, word) }))
    .filter(({ word, wrong }) => wrong <= Math.max(1, Math.floor(word.length / 3)))
    .toSorted((a, b) => a.wrong - b.wrong);
  const begun = typed.length > 1 ? words.filter((word) => word.startsWith(typed)) : [];
  return near[0]?.word ?? (begun.length === 1 ? begun[0] : undefined);
}
