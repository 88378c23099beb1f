type Row = Readonly<Record<string, string | number>>;

/**
 * Rows as aligned columns under their names in capitals. An empty list says so. With a `width`, columns are left out
 * until a line fits, the last of `droppable` first.
 */
export function table(rows: readonly Row[], width?: number, droppable: readonly string[] = []): string {
  const [first] = rows;
  if (first === undefined) return 'nothing is registered\n';
  const spare = [...droppable];
  let names = Object.keys(first);
  for (;;) {
    const lines = linesOf(rows, names);
    const isTooWide = width !== undefined && lines.some((line) => line.length > width);
    const dropped = isTooWide ? spare.pop() : undefined;
    if (dropped === undefined) return `${lines.join('\n')}\n`;
    names = names.filter((name) => name !== dropped);
  }
}

function linesOf(rows: readonly Row[], names: readonly string[]): string[] {
  const cells = [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) => names.map((name) => String(row[name]))),
  ];
  const widths = names.map((_, at) => Math.max(...cells.map((line) => (line[at] ?? '').length)));
  return cells.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
