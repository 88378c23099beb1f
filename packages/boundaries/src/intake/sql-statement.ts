import type { EntityUse } from '../model/system.ts';

/** Words that may follow FROM, INTO or UPDATE and are no table. */
const noTables = new Set([
  'select',
  'only',
  'lateral',
  'values',
  'set',
  'skip',
  'of',
  'unnest',
  'nothing',
  'as',
]);

const name = '(?:"[^"]+"|[\\p{L}_][\\p{L}\\d_$]*)';
const table = `(${name}(?:\\s*\\.\\s*${name})*)`;
// What is called is a function; and no shorter beginning of its name is a table.
const notCalled = '(?![\\p{L}\\d_$]|\\s*\\()';
const writing = new RegExp(
  `\\b(?:insert\\s+into|delete\\s+from|merge\\s+into|truncate(?:\\s+table)?|copy)\\s+(?:only\\s+)?${table}`,
  'giu',
);
const updating = new RegExp(
  `(?<!\\bfor\\s+|\\bfor\\s+no\\s+key\\s+|\\bdo\\s+|\\bon\\s+)\\bupdate\\s+(?:only\\s+)?${table}`,
  'giu',
);
const reading = new RegExp(`\\b(?:from|join|using)\\s+(?:only\\s+|lateral\\s+)?${table}${notCalled}`, 'giu');
const further = new RegExp(`^\\s*(?:(?:as\\s+)?${name}\\s*)?,\\s*(?:only\\s+)?${table}${notCalled}`, 'iu');
const common = new RegExp(
  `(?:\\bwith(?:\\s+recursive)?|,)\\s*(${name})(?:\\s*\\([^)]*\\))?\\s+as\\s+(?:not\\s+)?(?:materialized\\s+)?\\(`,
  'giu',
);

/** SQL without comments, and with its text constants emptied: what is in them is no SQL. */
export function bareSql(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''")
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/--[^\n]*/g, ' ');
}

/**
 * The tables that a statement reads and writes, in lower case unless quoted. A reading by its words, not a parser:
 * names of common table expressions and calls of functions are left out, views count as tables.
 */
export function tablesOf(statement: string): EntityUse[] {
  const text = bareSql(statement);
  const left = new Set([...text.matchAll(common)].map(([, found = '']) => plain(found)));
  const uses = new Map<string, EntityUse>();
  const add = (found: string, access: EntityUse['access']): void => {
    const entity = plain(found);
    if (noTables.has(entity) || left.has(entity)) return;
    if (uses.get(entity)?.access !== 'write') uses.set(entity, { entity, access });
  };
  for (const pattern of [writing, updating])
    for (const [, found = ''] of text.matchAll(pattern)) add(found, 'write');
  for (const match of text.matchAll(reading)) {
    // `DELETE FROM` has been seen as a write, and `EXTRACT(epoch FROM …)`, `IS DISTINCT FROM` read nothing.
    const before = text.slice(Math.max(0, match.index - 24), match.index);
    if (/(?:\bdistinct|(?:extract|trim|substring|overlay)\s*\([^)]*)\s*$/i.test(before)) continue;
    add(match[1] as string, 'read');
    let rest = text.slice(match.index + match[0].length);
    for (let more = further.exec(rest); more !== null; more = further.exec(rest)) {
      add(more[1] as string, 'read');
      rest = rest.slice(more[0].length);
    }
  }
  return [...uses.values()];
}

/** A table's name as the database sees it; the schema `public` goes without saying. */
export function plain(found: string): string {
  const parts = found.split('.').map((part) => part.trim());
  const folded = parts.map((part) => (part.startsWith('"') ? part.slice(1, -1) : part.toLowerCase()));
  return (folded[0] === 'public' && folded.length > 1 ? folded.slice(1) : folded).join('.');
}
