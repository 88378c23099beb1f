// What setup decides before it touches anything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completePlatforms, platformOf } from './lock.mjs';
import { isSafeNode, requireSystemNode, SetupError } from './setup.mjs';

test('a system Node older than 20 is refused with a sentence', () => {
  assert.throws(() => requireSystemNode('18.20.4'), SetupError);
  assert.throws(() => requireSystemNode('18.20.4'), /needs Node 20 or newer.*this is Node 18\.20\.4/);
  requireSystemNode('20.0.0');
  requireSystemNode('26.10.0');
});

test('lines of Node with known holes are not safe', () => {
  const safe = ['24.18.1', '24.19.0', '26.5.1', '26.10.0', '28.0.0'];
  const unsafe = ['24.18.0', '24.9.9', '25.9.0', '26.5.0', '22.30.0', '20.20.2', ''];
  assert.deepEqual(
    safe.filter((version) => !isSafeNode(version)),
    [],
  );
  assert.deepEqual(unsafe.filter(isSafeNode), []);
});

test('a package name tells its platform', () => {
  assert.deepEqual(platformOf('@oxlint/binding-linux-arm64-musl'), {
    cpu: ['arm64'],
    libc: ['musl'],
    os: ['linux'],
  });
  assert.deepEqual(platformOf('@oxc-parser/binding-linux-x64-gnu'), {
    cpu: ['x64'],
    libc: ['glibc'],
    os: ['linux'],
  });
  assert.deepEqual(platformOf('fsevents-linuxish'), undefined);
});

test('the lockfile names platform packages that the registry did not offer, and no other', () => {
  const packages = {
    'node_modules/a': {
      version: '1.0.0',
      dev: true,
      optionalDependencies: {
        'a-linux-x64': '1.0.0',
        'a-darwin-arm64': '1.0.0',
        prettier: '3.0.0',
        'b-win32-x64': '^1.0.0',
      },
    },
    'node_modules/a-linux-x64': { version: '1.0.0' },
  };
  assert.deepEqual(completePlatforms(packages), ['node_modules/a-darwin-arm64']);
  assert.deepEqual(Object.entries(packages).at(-1), [
    'node_modules/a-darwin-arm64',
    { version: '1.0.0', cpu: ['arm64'], dev: true, optional: true, os: ['darwin'] },
  ]);
});
