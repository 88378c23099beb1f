import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecret } from './console-mesh.ts';

test('where the rules are is shown without what lets one in there', () => {
  for (const [place, shown] of [
    ['deploy/mesh', 'deploy/mesh'],
    ['etcd://127.0.0.1:2379/mesh', 'etcd://127.0.0.1:2379/mesh'],
    ['postgres://user:p@ss@db:5432/mesh', 'postgres://db:5432/mesh'],
    [
      'git:https://x:token@git.example.com/mesh.git?branch=main',
      'git:https://git.example.com/mesh.git?branch=main',
    ],
    ['git:git@git.example.com:shop/mesh.git', 'git:git@git.example.com:shop/mesh.git'],
  ] as const)
    assert.equal(withoutSecret(place), shown);
});
