// Writes what the suites of an area found into a page of the documentation, so that no table there is made by hand.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ContractResult } from './result.ts';

const marks: Readonly<Record<ContractResult['status'], string>> = {
  pass: '✓',
  fail: '✗',
  unsupported: '–',
  skipped: '?',
};

/** Replaces the area's table in the file, or adds it at the end. */
export function writeTable(file: string, area: string, results: readonly ContractResult[]): void {
  writeFileSync(file, withTable(readFileSync(file, 'utf8'), area, results));
}

/** The text with the table of that area replaced or added. */
export function withTable(text: string, area: string, results: readonly ContractResult[]): string {
  const [from, to] = [`<!-- contracts ${area} -->`, `<!-- /contracts ${area} -->`];
  const section = `${from}\n${tableOf(area, results)}${to}\n`;
  const start = text.indexOf(from);
  const end = text.indexOf(to);
  if (start < 0 || end < 0) return `${text.trimEnd()}\n\n${section}`;
  return text.slice(0, start) + section + text.slice(end + to.length).replace(/^\n/, '');
}

/** A line for each case, a column for each backend and each way of using it. */
function tableOf(area: string, results: readonly ContractResult[]): string {
  const placed = results.map((result) => ({ ...result, ...place(result, results) }));
  const columns = [...new Set(placed.map(({ column }) => column))];
  const { shown, summed } = split(placed);
  const rows = [...new Set(shown.map(({ row }) => row))].map((row) => {
    const cells = columns.map((column) => {
      const found = placed.find((each) => each.row === row && each.column === column);
      return found === undefined ? '' : marks[found.status];
    });
    return `| ${[row.replaceAll('|', '\\|'), ...cells].join(' | ')} |`;
  });
  const sums = summed.map((own) => {
    const passed = own.filter(({ status }) => status === 'pass').length;
    const cells = columns.map((column) => (column === own[0]?.column ? `${passed} ✓` : ''));
    return `| ${[`${own.length} cases of its own`, ...cells].join(' | ')} |`;
  });
  const reasons = placed
    .filter(({ status }) => status === 'unsupported' || status === 'skipped')
    .map(({ column, detail = '' }) => `- ${column}: ${detail}`);
  return [
    `Written by \`npm run contracts -- ${area} --write-docs\`. ✓ passes, ✗ fails, – cannot be had with this backend,`,
    '? was not tried on that machine; empty: the case is another backend’s.',
    '',
    `| case | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => ':-:|').join('')}`,
    ...rows,
    ...sums,
    '',
    ...new Set(reasons),
    '',
  ].join('\n');
}

/** More than a reader goes through: a backend's own cases are then a sum, but for those that did not pass. */
const mostOwn = 60;

type Placed = ContractResult & { readonly column: string; readonly row: string };

function split(placed: readonly Placed[]): {
  readonly shown: readonly Placed[];
  readonly summed: readonly Placed[][];
} {
  const columnsOf = Map.groupBy(placed, ({ row }) => row);
  const isOwn = ({ row, status }: Placed): boolean => status === 'pass' && columnsOf.get(row)?.length === 1;
  const own = [...Map.groupBy(placed.filter(isOwn), ({ column }) => column).values()];
  const summed = own.filter((cases) => cases.length > mostOwn);
  const left = new Set(summed.flat());
  return { shown: placed.filter((each) => !left.has(each)), summed };
}

/** With more, what stands before a colon is what a case is about, and no way to use the backend. */
const mostWays = 6;

/** A suite that runs in several ways has the way before the name of every case. */
function place(
  { backend, version, case: name }: ContractResult,
  all: readonly ContractResult[],
): { readonly column: string; readonly row: string } {
  const title = version === '' ? backend : `${backend} ${version}`;
  const own = all.filter((result) => result.backend === backend);
  const ways = new Set(own.map((result) => result.case.split(': ')[0]));
  const hasWays =
    own.every((result) => result.case.includes(': ')) && ways.size <= mostWays && ways.size < own.length;
  if (!hasWays) return { column: title, row: name };
  const [way = '', ...rest] = name.split(': ');
  return { column: `${title}, ${way}`, row: rest.join(': ') };
}
