import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { simulatedRuntime } from '@heddle/kernel/simulated';
import { FetchedKeys } from './fetched-keys.ts';

const uri = 'https://issuer.example/keys';

test('keys are fetched, rotated, kept while they cannot be fetched, and forgotten', async () => {
  const runtime = simulatedRuntime({ seed: 3 });
  let answer: string | HeddleError = new HeddleError({
    code: 'unavailable',
    reason: 'DOWN',
    message: 'nobody is there',
  });
  let changes = 0;
  const keys = new FetchedKeys({
    runtime,
    get: async () => {
      if (typeof answer === 'string') return answer;
      throw answer;
    },
    changed: () => (changes += 1),
  });
  keys.want(new Set([uri]));
  await runtime.time.advance(100);
  assert.equal(keys.at(uri), undefined);
  assert.match(keys.view[0]?.problem ?? '', /nobody is there/);

  answer = '{"keys":[{"kid":"a"}]}';
  await runtime.time.advance(5000);
  assert.equal(keys.at(uri), '{"keys":[{"kid":"a"}]}');
  assert.deepEqual([keys.view[0]?.problem, changes], [undefined, 1]);

  // A page that is no key set is no reason to forget the keys.
  answer = '<html>sign in</html>';
  await runtime.time.advance(301_000);
  assert.equal(keys.at(uri), '{"keys":[{"kid":"a"}]}');
  assert.match(keys.view[0]?.problem ?? '', /expected a JSON Web Key Set/);

  answer = '{"keys":[{"kid":"b"}]}';
  await runtime.time.advance(2000);
  assert.equal(keys.at(uri), '{"keys":[{"kid":"b"}]}');
  assert.equal(changes, 2);

  keys.want(new Set());
  assert.deepEqual(keys.view, []);
  await keys.stop();
});
