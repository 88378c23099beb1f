// A page that no reader is led to is not there: both READMEs and llms.txt list every page of docs/, and no link leads nowhere.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pageGroups } from '../apps/console/src/shell/pages.ts';
import { upUsage } from '../apps/heddle/src/commands/up.usage.ts';
import { root } from './files.ts';

const pages = readdirSync(path.join(root, 'docs')).filter((file) => file.endsWith('.md'));

for (const readme of ['README.md', 'README.zh-CN.md', 'llms.txt'])
  test(`${readme} lists every page`, () => {
    const text = readFileSync(path.join(root, readme), 'utf8');
    assert.deepEqual(
      pages.filter((page) => !text.includes(`(docs/${page})`)),
      [],
    );
  });

test('every relative link of the pages leads to a file', () => {
  const broken = [
    'README.md',
    'README.zh-CN.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'CODE_OF_CONDUCT.md',
    'GLOSSARY.md',
    'SECURITY.md',
    'AGENTS.md',
    'llms.txt',
    'deploy/README.md',
    'examples/shop/README.md',
    ...pages.map((page) => `docs/${page}`),
  ].flatMap((page) =>
    [...readFileSync(path.join(root, page), 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !existsSync(path.join(root, path.dirname(page), link)))
      .map((link) => `${page}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test('every place that ARCHITECTURE.md names is there', () => {
  const text = readFileSync(path.join(root, 'ARCHITECTURE.md'), 'utf8');
  const places = [...text.matchAll(/`((?:packages|apps|examples|scripts|deploy)\/[^`\s<]*)[^`]*`/g)].map(
    ([, place = '']) => place,
  );
  assert.ok(places.length > 30);
  assert.deepEqual(
    places.filter((place) => !existsSync(path.join(root, place))),
    [],
  );
});

/** The first cells of the rows of a table, by how its head begins. */
function firstCells(text: string, head: string): string[] {
  const [, table = ''] = text.split(`\n${head}`);
  const [rows = ''] = table.split('\n\n', 1);
  return rows
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[1]?.trim() ?? '');
}

test('docs/console.md tells of every page of the console, in the order of the navigation', () => {
  const text = readFileSync(path.join(root, 'docs/console.md'), 'utf8');
  const told = firstCells(text, '| page |').flatMap((cell) => cell.split(', '));
  assert.deepEqual(
    told,
    pageGroups.flatMap(({ pages: all }) => all.map(({ title }) => title)),
  );
});

test('docs/console.md: the control plane reads each variable that it names', () => {
  const text = readFileSync(path.join(root, 'docs/console.md'), 'utf8');
  const sources = path.join(root, 'apps/heddle/src/control-plane');
  const code = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('.test.'))
    .map((file) => readFileSync(path.join(sources, file), 'utf8'))
    .join('\n');
  const names = [...text.matchAll(/`(HEDDLE_[A-Z_]+)`/g)].map(([, name = '']) => name);
  assert.ok(names.length > 8);
  assert.deepEqual(
    names.filter((name) => !code.includes(name)),
    [],
  );
});

test('docs/console.md: each test that answers a complaint is there', () => {
  const text = readFileSync(path.join(root, 'docs/console.md'), 'utf8');
  const [, after = ''] = text.split('\n| complaint | test |');
  const answers = (after.split('\n\n', 1)[0] ?? '').split('\n').map((row) => row.split('|')[2] ?? '');
  const tests = ['apps', 'bench/console'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
      .map((file) => path.join(folder, file)),
  );
  const code = tests.map((file) => readFileSync(path.join(root, file), 'utf8')).join('\n');
  const named = answers.flatMap((cell) => [
    ...[...cell.matchAll(/"([^"]+)"/g)].flatMap(([, quoted = '']) => quoted.split(/\s*…\s*/)),
    ...[...cell.matchAll(/`([a-z][\w-]*)`/g)].map(([, name = '']) => `'${name}'`),
  ]);
  const files = answers.flatMap((cell) =>
    [...cell.matchAll(/`([\w-]+\.(?:it\.)?test\.ts)`/g)].map(([, f = '']) => f),
  );
  assert.ok(named.length > 9 && files.length > 2, `${named.length} ${files.length}`);
  assert.deepEqual(
    named.filter((words) => !code.includes(words)),
    [],
  );
  assert.deepEqual(
    files.filter((file) => !tests.some((one) => one.endsWith(`/${file}`))),
    [],
  );
});

test('docs/up.md tells of every option of `heddle up`', () => {
  const text = readFileSync(path.join(root, 'docs/up.md'), 'utf8');
  const told = firstCells(text, '| option |').map((cell) => /`--([\w-]+)/.exec(cell)?.[1] ?? cell);
  assert.deepEqual(told.toSorted(), Object.keys(upUsage.options).toSorted());
});
