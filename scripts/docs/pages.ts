// Which pages the site has, and in which order a reader meets them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../files.ts';

/** A page of the repository, by its path from the root, and the part of the site that it stands in. */
export interface Page {
  readonly file: string;
  readonly part: string;
}

/** The parts, in the order of the menu. */
export const parts = ['Start', 'Capabilities', 'Operation', 'Inside', 'Decisions'] as const;

const start = [
  'docs/tutorial.md',
  'docs/up.md',
  'docs/shop.md',
  'docs/services-and-layers.md',
  'docs/migrating.md',
];
const operation = ['docs/console.md', 'docs/security.md', 'docs/performance.md', 'deploy/README.md'];
const inside = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'GLOSSARY.md', 'CHANGELOG.md', 'README.zh-CN.md'];

/** All pages but the README, which is the site's first. A new file of docs/ is a capability until it is listed above. */
export function pages(): Page[] {
  const listed = new Set([...start, ...operation, ...inside]);
  const capabilities = filesOf('docs').filter((file) => !listed.has(file));
  const of = (part: string, files: readonly string[]): Page[] => files.map((file) => ({ file, part }));
  return [
    ...of('Start', start),
    ...of('Capabilities', capabilities),
    ...of('Operation', operation),
    ...of('Inside', inside),
    ...of('Decisions', filesOf('adr')),
  ];
}

/** The first heading of a page, as plain words. */
export function titleOf(file: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(path.join(root, file), 'utf8')) ?? [];
  return (title ?? path.basename(file, '.md')).replaceAll('`', '');
}

function filesOf(folder: string): string[] {
  return readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `${folder}/${name}`);
}
