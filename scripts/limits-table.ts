// The table of limits in docs/wire.md, made of the interfaces' comments and of the defaults themselves.
// `node scripts/run.mjs scripts/limits-table.ts` writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { http1ClientLimits } from '../packages/wire/src/http1/client-limits.ts';
import { messageLimits } from '../packages/wire/src/http1/limits.ts';
import { http1ServerLimits } from '../packages/wire/src/http1/server-limits.ts';
import { defaultLimits } from '../packages/wire/src/http2/limits.ts';
import { root } from './files.ts';

const page = path.join(root, 'docs/wire.md');
const section = /(<!-- limits -->\n)[^]*?(<!-- \/limits -->)/;
const folder = 'packages/wire/src';

const sources: readonly { title: string; file: string; defaults: object }[] = [
  { title: 'HTTP/1.1, both roles', file: `${folder}/http1/limits.ts`, defaults: messageLimits },
  { title: 'HTTP/1.1, server', file: `${folder}/http1/server-limits.ts`, defaults: http1ServerLimits },
  { title: 'HTTP/1.1, client', file: `${folder}/http1/client-limits.ts`, defaults: http1ClientLimits },
  { title: 'HTTP/2', file: `${folder}/http2/limits.ts`, defaults: defaultLimits },
];

/** The page with its table as the sources have it now. */
export function withLimits(markdown: string): string {
  return markdown.replace(section, (_all, begin: string, end: string) => {
    const tables = sources.map(({ title, file, defaults }) => table(title, file, defaults));
    return `${begin}${tables.join('\n')}${end}`;
  });
}

function table(title: string, file: string, defaults: object): string {
  const values = new Map<string, unknown>(Object.entries(defaults));
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(root, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const rows = source.statements
    .filter((statement) => ts.isInterfaceDeclaration(statement))
    .flatMap(({ members }) => [...members])
    .map((member) => {
      const name = member.name?.getText(source) ?? '';
      return `| \`${name}\` | ${written(name, values.get(name))} | ${commentOf(member)} |`;
    });
  return [`| ${title} | default | |`, '|---|---|---|', ...rows, ''].join('\n');
}

function written(name: string, value: unknown): string {
  if (typeof value !== 'number')
    throw new Error(`${name} has no default: expected a number, found ${String(value)}`);
  if (value === Number.POSITIVE_INFINITY) return 'none';
  return value >= 1024 && value % 1024 === 0 && /bytes$/i.test(name)
    ? `${value / 1024} KiB`
    : value.toLocaleString('en');
}

/** What a comment says, without the default, which has its own column. A member without one goes with that before it. */
function commentOf(member: ts.Node): string {
  const [comment] = ts.getJSDocCommentsAndTags(member);
  const text = comment === undefined ? 'see above' : (ts.getTextOfJSDocComment(comment.comment) ?? '');
  return text
    .replace(/\s+/g, ' ')
    .replace(/ ?Default[^.]*(\.\d[^.]*)*\./, '')
    .replaceAll('|', '\\|');
}

if (import.meta.main) writeFileSync(page, withLimits(readFileSync(page, 'utf8')));
