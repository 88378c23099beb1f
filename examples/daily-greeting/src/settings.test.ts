import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greeting } from './greeting.ts';
import { readSettings } from './settings.ts';

test('settings come from the environment', () => {
  const { host, advertise, port } = readSettings({
    HEDDLE_REGISTRY: 'embedded://127.0.0.1:8090',
    PORT: '80',
  });
  assert.deepEqual({ host, advertise, port }, { host: '127.0.0.1', advertise: '127.0.0.1', port: 80 });
});

test('all that is wrong with them is said at once', () => {
  const wrong = { HOST: '0.0.0.0', PORT: '70000', HEDDLE_TRACE_RATIO: '7' };
  const message = /HEDDLE_REGISTRY.*ADVERTISE.*PORT.*HEDDLE_TRACE_RATIO/;
  assert.throws(() => readSettings(wrong), { reason: 'BAD_SETTINGS', message });
});

test('somebody without a name is greeted too', () => {
  assert.equal(greeting('Ada'), 'Good day, Ada!');
  assert.equal(greeting(''), 'Good day, everybody!');
});
