// A page that no reader is led to is not there: both READMEs and llms.txt list every page of docs/, and no link leads nowhere.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
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
