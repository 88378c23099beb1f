import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readingCatalogue } from '../resources/index.ts';
import { analysisCatalogue } from './catalogue.ts';

test('the page of the mesh lists every code with its severity', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/mesh.md'), 'utf8');
  const all = { ...readingCatalogue, ...analysisCatalogue };
  const missing = Object.entries(all).filter(
    ([code, { severity }]) => !page.includes(`| \`${code}\` | ${severity} |`),
  );
  assert.deepEqual(missing, []);
});
