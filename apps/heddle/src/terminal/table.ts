import type { Terminal } from './terminal.ts';
import { wrapped } from './wrapped.ts';

type Row = Readonly<Record<string, string | number>>;

/**
 * Rows as aligned columns under their names in capitals. An empty list says so. With a `width`, columns are left out
 * until a line fits, the last of `droppable` first; then the widest go on below themselves, cut between words.
 */
export function table(rows: readonly Row[], width?: number, droppable: readonly string[] = []): string {
  const [first] = rows;
  if (first === undefined) return 'nothing is registered\n';
  const spare = [...droppable];
  let names = Object.keys(first);
  for (;;) {
    const cells = cellsOf(rows, names);
    const widths = names.map((_, at) => Math.max(...cells.map((line) => (line[at] ?? '').length)));
    const isTooWide = width !== undefined && lineWidth(widths) > width;
    const dropped = isTooWide ? spare.pop() : undefined;
    if (dropped === undefined) {
      const fitting = width === undefined ? widths : narrowed(cells, widths, width);
      return `${cells.flatMap((line) => linesOf(line, fitting)).join('\n')}\n`;
    }
    names = names.filter((name) => name !== dropped);
  }
}

/** The same for where it is written to: as wide as a terminal, or as wide as it is where a program reads. */
export function tableOn(terminal: Terminal, rows: readonly Row[], droppable: readonly string[] = []): string {
  return table(rows, terminal.interactive ? terminal.width : undefined, droppable);
}

const gap = '  ';

function cellsOf(rows: readonly Row[], names: readonly string[]): string[][] {
  return [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) => names.map((name) => String(row[name]))),
  ];
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, gap.length * (widths.length - 1));
}

/** Takes from the widest column that can still be cut between words, until a line fits or none can. */
function narrowed(cells: readonly string[][], widths: readonly number[], width: number): number[] {
  const least = widths.map((_, at) =>
    Math.max(...cells.flatMap((line) => (line[at] ?? '').split(' ').map((word) => word.length))),
  );
  const fitting = [...widths];
  while (lineWidth(fitting) > width) {
    const spare = fitting.map((each, at) => (each > (least[at] ?? 0) ? each : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    fitting[spare.indexOf(widest)] = widest - 1;
  }
  return fitting;
}

function linesOf(line: readonly string[], widths: readonly number[]): string[] {
  const parts = line.map((cell, at) => {
    const width = widths[at] ?? 0;
    return cell.length <= width ? [cell] : wrapped(cell, width);
  });
  const height = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: height }, (_, row) =>
    parts
      .map((part, at) => (part[row] ?? '').padEnd(widths[at] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}
