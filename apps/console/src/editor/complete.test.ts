import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completionsAt, type KindTerms } from './complete.ts';

const kinds: readonly KindTerms[] = [
  {
    kind: 'VirtualService',
    apiVersion: 'networking.istio.io/v1',
    spec: {
      what: 'an object',
      keys: {
        hosts: { what: 'a list of texts' },
        http: {
          what: 'a list',
          keys: {
            timeout: { what: 'a duration' },
            route: { what: 'a list', keys: { weight: { what: 'a number' } } },
          },
        },
      },
    },
  },
  {
    kind: 'Sidecar',
    apiVersion: 'networking.istio.io/v1',
    spec: { what: 'an object', keys: { egress: { what: 'a list' } } },
  },
];

function labels(text: string): string[] {
  const at = text.indexOf('|');
  return completionsAt(text.replace('|', ''), at, kinds).map(({ label }) => label);
}

test('keys of an object, of its metadata, and of its spec by its kind', () => {
  assert.deepEqual(labels('|'), ['apiVersion', 'kind', 'metadata', 'spec']);
  assert.deepEqual(labels('kind: |'), ['VirtualService', 'Sidecar']);
  assert.deepEqual(labels('kind: VirtualService\nspec:\n  |'), ['hosts', 'http']);
  assert.deepEqual(labels('kind: VirtualService\nspec:\n  http:\n    - |'), ['timeout', 'route']);
  assert.deepEqual(labels('kind: VirtualService\nspec:\n  http:\n    - route:\n        - |'), ['weight']);
  assert.deepEqual(labels('kind: VirtualService\nspec:\n  http:\n    - timeout: 1s\n      |'), [
    'timeout',
    'route',
  ]);
  assert.deepEqual(labels('kind: VirtualService\nmetadata:\n  |')[0], 'name');
});

test('the document at hand counts, not the one before it; the kind may stand below; values are not completed', () => {
  assert.deepEqual(labels('kind: VirtualService\n---\nkind: Sidecar\nspec:\n  |'), ['egress']);
  assert.deepEqual(labels('spec:\n  |\nkind: Sidecar'), ['egress']);
  assert.deepEqual(labels('kind: VirtualService\nspec:\n  hosts: |'), []);
  assert.deepEqual(labels('kind: Nothing\nspec:\n  |'), []);
});
