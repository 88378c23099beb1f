import { type Call, withSpan } from '@heddle/kernel';
import type { Sql, SqlValue } from './sql.ts';

// A trace shows what was done; a statement of pages would only fill it.
const longestText = 2000;

/**
 * Runs a statement in a span of `call`, as OpenTelemetry describes databases: named by what it does, with its text. Values are
 * not told, since the text has placeholders. Where nobody takes spans, or without a call, it is only run.
 */
export function inStatementSpan<T>(call: Call | undefined, text: string, run: () => Promise<T>): Promise<T> {
  if (call?.runtime.spans === undefined) return run();
  return withSpan(call, { kind: 'client', name: statementTitle(text), attributes: attributesOf(text) }, run);
}

/** Statements of `sql` as spans of one call. */
export function tracedSql(sql: Sql, call: Call): Sql {
  return {
    query: <Row extends object>(text: string, values?: readonly SqlValue[]) =>
      inStatementSpan(call, text, () => sql.query<Row>(text, values)),
    execute: (text, values) => inStatementSpan(call, text, () => sql.execute(text, values)),
  };
}

/** What a statement is called in spans and metrics: `INSERT orders`; few values, and never a parameter. */
export function statementTitle(text: string): string {
  const [, verb = 'SQL'] = /^\s*(?:--[^\n]*\n\s*)*([A-Za-z]+)/.exec(text) ?? [];
  const [, table] = /\b(?:FROM|INTO|UPDATE|TABLE)\s+(?:ONLY\s+)?"?([A-Za-z_][\w.]*)"?/i.exec(text) ?? [];
  return table === undefined ? verb.toUpperCase() : `${verb.toUpperCase()} ${table}`;
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const shown = text.replaceAll(/\s+/g, ' ').trim().slice(0, longestText);
  return { 'db.system.name': 'postgresql', 'db.query.text': shown };
}
