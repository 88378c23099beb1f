// What whoever installs Heddle gets with it: licences that ask for no more than a notice, all named in the lock file.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../files.ts';
import { publishedFolders } from '../workspaces.ts';
import { type Manifest, published } from './manifest.ts';

interface Locked {
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly version?: string;
  readonly integrity?: string;
}

const allowed = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '(Apache-2.0 AND BSD-3-Clause)',
]);

const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const used = Object.entries(lock.packages).filter(
  ([where, { dev, link }]) => where.includes('node_modules/') && dev !== true && link !== true,
);

test('every package that users get has a licence of the list', () => {
  assert.ok(used.length > 40);
  // Binaries for other platforms stand in the lock file by name alone; they are built from the same package.
  const others = used.filter(([, { license, optional }]) => !(license === undefined && optional === true));
  assert.deepEqual(
    others
      .filter(([, { license = '' }]) => !allowed.has(license))
      .map(([where, { license }]) => [where, license]),
    [],
  );
});

test('everything is published under Apache-2.0, without scripts and sources', () => {
  for (const name of publishedFolders()) {
    const file = path.join(root, name, 'package.json');
    const manifest = published(JSON.parse(readFileSync(file, 'utf8')) as Manifest);
    assert.equal(manifest.license, 'Apache-2.0', name);
    assert.ok(manifest.description !== undefined && manifest.description.length > 10, name);
    assert.ok(!('scripts' in manifest) && !('devDependencies' in manifest), name);
    assert.doesNotMatch(JSON.stringify(manifest), /@heddle\/source/, name);
  }
});
