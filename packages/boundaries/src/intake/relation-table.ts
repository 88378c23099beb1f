import { uniqueDependencies } from '../model/merge.ts';
import type { Checked, Problem } from '../model/problem.ts';
import { capabilityOf, type Dependency, type Relation, type System, systemOf } from '../model/system.ts';

/** What a table says: how often the first calls the second, or how alike both are. */
export type TableKind = 'calls' | 'names' | 'terms';

/** A table of relations between classes, as text with a line for each. */
export interface RelationTable {
  readonly kind: TableKind;
  readonly text: string;
}

const headers: Readonly<Record<string, TableKind>> = {
  referencecount: 'calls',
  classnamerel: 'names',
  classtermrel: 'terms',
};

/** What a table says, by its header; undefined if it is none of ours. */
export function tableKindOf(text: string): TableKind | undefined {
  const [header = ''] = text.split('\n', 1);
  return headers[header.trim().split(',').at(-1)?.trim().toLowerCase() ?? ''];
}

/**
 * The relations between the classes of a code base, from tables with the columns `,<class>,<class>,<value>`: static
 * calls, shared names (which tell the entity that a class is about, so they count as data), shared terms.
 */
export function readRelationTables(tables: readonly RelationTable[]): Checked<System> {
  const problems: Problem[] = [];
  const names = new Set<string>();
  const dependencies = new Map<string, Dependency[]>();
  const likeness = new Map<string, Relation>();
  for (const [at, table] of tables.entries()) {
    for (const { a, b, value } of rowsOf(table.text, at, problems)) {
      names.add(a).add(b);
      if (a === b || value === 0) continue;
      if (table.kind === 'calls')
        dependencies.set(a, [...(dependencies.get(a) ?? []), { on: b, calls: value }]);
      else keepStrongest(likeness, relationOf(table.kind, a, b, value));
    }
  }
  if (names.size === 0 && problems.length === 0)
    problems.push({ path: [], message: 'the tables have no rows' });
  if (problems.length > 0) return { ok: false, problems };
  const capabilities = [...names].map((name) =>
    capabilityOf({ name, dependencies: uniqueDependencies(dependencies.get(name) ?? []) }),
  );
  return { ok: true, value: systemOf({ kind: 'parts', capabilities, relations: [...likeness.values()] }) };
}

function rowsOf(text: string, table: number, problems: Problem[]): { a: string; b: string; value: number }[] {
  return text.split('\n').flatMap((line, at) => {
    if (at === 0 || line.trim() === '') return [];
    const [, a = '', b = '', number = ''] = line.trim().split(',');
    const value = number === '' ? Number.NaN : Number(number);
    if (a !== '' && b !== '' && Number.isFinite(value) && value >= 0) return [{ a, b, value }];
    const message = `expected "<number>,<class>,<class>,<value of at least 0>"; found "${line.trim()}"`;
    problems.push({ path: [table, at + 1], message });
    return [];
  });
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
