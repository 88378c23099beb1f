import { uniqueDependencies } from '../model/merge.ts';
import type { Checked, Problem } from '../model/problem.ts';
import { capabilityOf, type Dependency, type Relation, type System, systemOf } from '../model/system.ts';
import { classesOf } from './class-names.ts';

/** What a table says: how often the first calls the second, or how alike both are. */
export type TableKind = 'calls' | 'names' | 'terms';

/** A table of relations between classes, as text with a line for each. */
export interface RelationTable {
  readonly kind: TableKind;
  readonly text: string;
}

interface Row {
  readonly kind: TableKind;
  readonly a: string;
  readonly b: string;
  readonly value: number;
}

const headers: Readonly<Record<string, TableKind>> = {
  referencecount: 'calls',
  classnamerel: 'names',
  classtermrel: 'terms',
};

/** What a table says, by its header; undefined if it is none of ours. */
export function tableKindOf(text: string): TableKind | undefined {
  const [header = ''] = linesOf(text);
  return headers[cellsOf(header, separatorOf(header)).at(-1)?.toLowerCase() ?? ''];
}

/**
 * The relations between the classes of a code base, from tables whose last columns are `<class>,<class>,<value>`: static
 * calls, shared names (which tell the entity that a class is about, so they count as data), shared terms. Nested classes
 * are part of the class around them.
 */
export function readRelationTables(tables: readonly RelationTable[]): Checked<System> {
  const problems: Problem[] = [];
  const rows = tables.flatMap((table, at) => rowsOf(table, at, problems));
  if (rows.length === 0 && problems.length === 0)
    problems.push({ path: [], message: 'the tables have no rows' });
  if (problems.length > 0) return { ok: false, problems };
  const classes = classesOf(new Set(rows.flatMap(({ a, b }) => [a, b])));
  const dependencies = new Map<string, Dependency[]>([...classes.values()].map((name) => [name, []]));
  const likeness = new Map<string, Relation>();
  for (const { kind, value, ...row } of rows) {
    const [a, b] = [classes.get(row.a) as string, classes.get(row.b) as string];
    if (a === b || value === 0) continue;
    if (kind === 'calls') dependencies.get(a)?.push({ on: b, calls: value });
    else keepStrongest(likeness, relationOf(kind, a, b, value));
  }
  const capabilities = [...dependencies].map(([name, own]) =>
    capabilityOf({ name, dependencies: uniqueDependencies(own) }),
  );
  return { ok: true, value: systemOf({ kind: 'parts', capabilities, relations: [...likeness.values()] }) };
}

function rowsOf({ kind, text }: RelationTable, table: number, problems: Problem[]): Row[] {
  const [header = '', ...lines] = linesOf(text);
  const separator = separatorOf(header);
  const columns = cellsOf(header, separator).length;
  if (columns < 3) {
    const message = `expected a header of at least three columns; found "${header}"`;
    problems.push({ path: [table, 1], message });
    return [];
  }
  // Percents would all count as the same; above 1 by rounding is 1.
  const most = kind === 'calls' ? Number.MAX_VALUE : 1 + 1e-9;
  const wanted = kind === 'calls' ? 'calls of at least 0' : 'likeness from 0 to 1';
  return lines.flatMap((line, at) => {
    if (line.trim() === '') return [];
    const cells = cellsOf(line, separator);
    const [a = '', b = '', number = ''] = cells.slice(-3);
    const value = number === '' ? Number.NaN : Number(number);
    if (cells.length === columns && a !== '' && b !== '' && value >= 0 && value <= most)
      return [{ kind, a, b, value }];
    const message = `expected ${columns} cells, the last "<class>${separator}<class>${separator}<${wanted}>"; found "${line.trim()}"`;
    problems.push({ path: [table, at + 2], message });
    return [];
  });
}

/** Without the mark that some editors put before the first. */
function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/);
}

/** Tables are written with commas, semicolons or tabs, and all of one by one. */
function separatorOf(header: string): string {
  return [';', '\t'].find((separator) => header.includes(separator)) ?? ',';
}

/** The cells of a line. Quotes around a cell keep its separators, and are not part of it. */
function cellsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim());
  const cells = [''];
  let quoted = false;
  for (const char of line) {
    if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) cells.push('');
    else cells.push(`${cells.pop()}${char}`);
  }
  return cells.map((cell) => cell.trim());
}

function relationOf(kind: 'names' | 'terms', a: string, b: string, value: number): Relation {
  const evidence = kind === 'names' ? 'their names share words' : 'their texts share terms';
  const criterion = kind === 'names' ? 'data' : 'vocabulary';
  return { criterion, a, b, value: Math.min(1, value), evidence: `${evidence} (${value.toFixed(2)})` };
}

/** A table may list a pair in both directions: likeness has none. */
function keepStrongest(kept: Map<string, Relation>, relation: Relation): void {
  const { criterion, a, b, value } = relation;
  const key = a < b ? `${criterion}\n${a}\n${b}` : `${criterion}\n${b}\n${a}`;
  if ((kept.get(key)?.value ?? -1) < value) kept.set(key, relation);
}
