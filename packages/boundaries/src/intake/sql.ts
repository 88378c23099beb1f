import type { Checked } from '../model/problem.ts';
import { capabilityOf, type Relation, type System, systemOf } from '../model/system.ts';
import { bareSql, plain, tablesOf } from './sql-statement.ts';

/** A file with a schema, queries, or both. */
export interface SqlFile {
  readonly path: string;
  readonly text: string;
}

const created =
  /\bcreate\s+(?:unlogged\s+|temp(?:orary)?\s+)?table\s+(?:if\s+not\s+exists\s+)?((?:"[^"]+"|[\w$.])+)/gi;
const referenced = /\breferences\s+((?:"[^"]+"|[\w$.])+)/gi;

/** What a foreign key is worth: rows of one cannot be without rows of the other, as strong as a dependency. */
const foreignKey = 0.8;

/**
 * The tables of schemas and queries. A foreign key couples by data, statements that touch several tables couple by
 * function: (1 + ln statements) of the most of any pair.
 */
export function readSql(files: readonly SqlFile[]): Checked<System> {
  const tables = new Set<string>();
  const relations: Relation[] = [];
  const joint = new Map<
    string,
    { a: string; b: string; statements: number; writes: boolean; path: string }
  >();
  for (const { path, text } of files) {
    for (const statement of bareSql(text).split(';')) {
      for (const { table, target } of keysOf(statement)) {
        tables.add(table).add(target);
        if (table === target) continue;
        const evidence = `${path}: a foreign key of ${table} to ${target}`;
        relations.push({ criterion: 'data', a: table, b: target, value: foreignKey, evidence });
      }
      for (const [, found = ''] of statement.matchAll(created)) tables.add(plain(found));
      countJoint(statement, path, tables, joint);
    }
  }
  if (tables.size === 0) {
    return { ok: false, problems: [{ path: [], message: 'expected tables; the SQL names none' }] };
  }
  const most = Math.max(1, ...[...joint.values()].map(({ statements }) => statements));
  for (const { a, b, statements, writes, path } of joint.values()) {
    const value = (1 + Math.log(statements)) / (1 + Math.log(most));
    const evidence = `${statements} statements ${writes ? 'write' : 'read'} both, the first in ${path}`;
    relations.push({ criterion: 'functional', a, b, value, evidence });
  }
  const capabilities = [...tables].map((table) =>
    capabilityOf({ name: table, entities: [{ entity: table, access: 'write' }] }),
  );
  return { ok: true, value: systemOf({ kind: 'parts', capabilities, relations: onceEach(relations) }) };
}

function keysOf(statement: string): { table: string; target: string }[] {
  const [first] = statement.matchAll(created);
  const altered = /\balter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?((?:"[^"]+"|[\w$.])+)/i.exec(statement);
  const found = first?.[1] ?? altered?.[1];
  if (found === undefined) return [];
  const table = plain(found);
  return [...statement.matchAll(referenced)].map(([, target = '']) => ({ table, target: plain(target) }));
}

function countJoint(
  statement: string,
  path: string,
  tables: Set<string>,
  joint: Map<string, { a: string; b: string; statements: number; writes: boolean; path: string }>,
): void {
  const uses = tablesOf(statement);
  for (const { entity } of uses) tables.add(entity);
  for (const [at, first] of uses.entries()) {
    for (const second of uses.slice(at + 1)) {
      const [a, b] = [first.entity, second.entity].sort() as [string, string];
      const entry = joint.get(`${a}\n${b}`) ?? { a, b, statements: 0, writes: false, path };
      entry.statements++;
      entry.writes ||= first.access === 'write' && second.access === 'write';
      joint.set(`${a}\n${b}`, entry);
    }
  }
}

/** A second foreign key between the same tables says nothing new. */
function onceEach(relations: readonly Relation[]): Relation[] {
  const kept = new Map<string, Relation>();
  for (const relation of relations) {
    const key = [relation.criterion, ...[relation.a, relation.b].sort()].join('\n');
    if (!kept.has(key)) kept.set(key, relation);
  }
  return [...kept.values()];
}
