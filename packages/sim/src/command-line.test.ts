import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCommandLine } from './command-line.ts';

test('without arguments: 200 seeds of everything in simulations', () => {
  assert.deepEqual(readCommandLine([]), {
    folder: 'simulations',
    scenarios: [],
    firstSeed: 1,
    seeds: 200,
    transcript: false,
    compare: false,
  });
});

test('one seed is run with its transcript; scenarios can be chosen', () => {
  const plan = readCommandLine([
    '--seed',
    '17',
    '--scenario',
    'a',
    '--scenario',
    'b',
    '--folder',
    'x',
    '--compare',
  ]);
  assert.deepEqual(plan, {
    folder: 'x',
    scenarios: ['a', 'b'],
    firstSeed: 17,
    seeds: 1,
    transcript: true,
    compare: true,
  });
  const { firstSeed, seeds } = readCommandLine(['--from', '1000', '--seeds', '7']) ?? {};
  assert.deepEqual([firstSeed, seeds], [1000, 7]);
});

test('help is no plan; nonsense is an error that says what was expected', () => {
  assert.equal(readCommandLine(['--help']), undefined);
  assert.throws(() => readCommandLine(['--seeds', 'many']), /--seeds: expected a whole number .* got "many"/);
  for (const wrong of ['-1', '1.5', '', '4294967296']) {
    assert.throws(() => readCommandLine([`--seed=${wrong}`]), /--seed: expected a whole number/);
  }
  assert.throws(() => readCommandLine(['--sedes', '3']), /--sedes/);
});
