import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { chinese } from './chinese.ts';

const folder = path.resolve(import.meta.dirname, '..');

/** The texts that pages ask for: literals in `t('…')`, and the titles of the navigation. */
function asked(): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => /\.tsx?$/.test(file) && !file.includes('.test.'));
  return sources.flatMap((file) => {
    const text = readFileSync(path.join(folder, file), 'utf8');
    const pattern = file.endsWith('pages.ts')
      ? /title: ()'([^']+)'/g
      : /\bt\(\s*(['"])((?:(?!\1)[^\\]|\\.)*)\1/g;
    return [...text.matchAll(pattern)].map((match) => (match[2] ?? '').replaceAll(/\\(.)/g, '$1'));
  });
}

test('every text of the pages is there in Chinese', () => {
  const all = new Set(asked());
  assert.ok(all.size > 200, 'the texts were found');
  assert.deepEqual(
    [...all].filter((text) => chinese[text] === undefined),
    [],
  );
});

test('a translation has the places that its text has', () => {
  const places = (text: string): string =>
    [...text.matchAll(/\{\w+\}/g)]
      .map(([place]) => place)
      .toSorted()
      .join(' ');
  for (const [english, text] of Object.entries(chinese)) assert.equal(places(text), places(english), english);
});
