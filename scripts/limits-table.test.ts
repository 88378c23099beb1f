import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './files.ts';
import { withLimits } from './limits-table.ts';

test('docs/wire.md has the limits as they are', () => {
  const page = readFileSync(path.join(root, 'docs/wire.md'), 'utf8');
  assert.match(page, /\| `maxConcurrentStreams` \| 100 \|/);
  assert.equal(page, withLimits(page), 'write it anew: node scripts/run.mjs scripts/limits-table.ts');
});
