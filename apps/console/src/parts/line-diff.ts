/** A line of two texts, or how many are passed over that both have. */
export type DiffLine =
  | {
      readonly is: 'same' | 'removed' | 'added';
      readonly text: string;
      readonly before: number;
      readonly after: number;
    }
  | { readonly is: 'passed'; readonly count: number; readonly before: number; readonly after: number };

const mostCells = 4_000_000;
const around = 3;

/**
 * What differs between two texts, line by line, with three lines around each change: of a file of ten thousand lines only
 * what has changed. Texts that share too little to be compared line by line are shown as removed and added.
 */
export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const middle = changes(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const all: ('same' | 'removed' | 'added')[] = [
    ...Array.from({ length: head }, () => 'same' as const),
    ...middle,
    ...Array.from({ length: tail }, () => 'same' as const),
  ];
  let [inA, inB] = [0, 0];
  const lines = all.map((is): DiffLine => {
    const text = (is === 'added' ? b[inB] : a[inA]) ?? '';
    if (is !== 'added') inA++;
    if (is !== 'removed') inB++;
    return { is, text, before: inA, after: inB };
  });
  return shortened(lines);
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** By the longest lines that both have in one order. */
function changes(a: readonly string[], b: readonly string[]): ('same' | 'removed' | 'added')[] {
  const [rows, columns] = [a.length, b.length];
  if (rows * columns > mostCells)
    return [...a.map(() => 'removed' as const), ...b.map(() => 'added' as const)];
  const width = columns + 1;
  const longest = new Uint32Array((rows + 1) * width);
  for (let row = rows - 1; row >= 0; row--)
    for (let column = columns - 1; column >= 0; column--)
      longest[row * width + column] =
        a[row] === b[column]
          ? (longest[(row + 1) * width + column + 1] ?? 0) + 1
          : Math.max(longest[(row + 1) * width + column] ?? 0, longest[row * width + column + 1] ?? 0);
  const found: ('same' | 'removed' | 'added')[] = [];
  let [row, column] = [0, 0];
  while (row < rows || column < columns) {
    if (row < rows && column < columns && a[row] === b[column]) {
      found.push('same');
      row++;
      column++;
    } else if (
      column >= columns ||
      (row < rows && (longest[(row + 1) * width + column] ?? 0) >= (longest[row * width + column + 1] ?? 0))
    ) {
      found.push('removed');
      row++;
    } else {
      found.push('added');
      column++;
    }
  }
  return found;
}

function shortened(lines: readonly DiffLine[]): readonly DiffLine[] {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ is }, at) => {
    if (is !== 'same') near.fill(1, Math.max(0, at - around), at + around + 1);
  });
  const shown: DiffLine[] = [];
  lines.forEach((line, at) => {
    const last = shown.at(-1);
    if (near[at] === 1) shown.push(line);
    else if (last?.is === 'passed') shown[shown.length - 1] = { ...last, count: last.count + 1 };
    else shown.push({ is: 'passed', count: 1, before: line.before, after: line.after });
  });
  return shown;
}
