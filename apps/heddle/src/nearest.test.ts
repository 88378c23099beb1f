import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

const commands = ['up', 'ls', 'saga', 'gateway', 'rollout', 'route', 'control-plane', 'boundaries'];

for (const [typed, meant] of [
  ['gatway', 'gateway'],
  ['gatewya', 'gateway'],
  ['sagas', 'saga'],
  ['sl', 'ls'],
  ['bound', 'boundaries'],
  ['controlplane', 'control-plane'],
] as const)
  test(`"${typed}" is meant to be "${meant}"`, () => assert.equal(nearest(typed, commands), meant));

for (const typed of ['frobnicate', '', 'ro', 'xyz'])
  test(`"${typed}" is nothing that is known`, () => assert.equal(nearest(typed, commands), undefined));
