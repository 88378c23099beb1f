import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeddleError } from '@heddle/kernel';
import type { FieldViolation } from '../registry/validate-instance.ts';
import { type ServiceConfigInit, serviceConfig } from './service-config.ts';

/** The fields that are named as wrong. */
function wrong(init: unknown): string[] {
  try {
    serviceConfig(init as ServiceConfigInit);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    assert.deepEqual(
      [error.code, error.reason, error.sent],
      ['invalid_argument', 'BAD_SERVICE_CONFIG', false],
    );
    const fields = error.details.map(({ value }) => (value as FieldViolation).field);
    for (const field of fields) assert.ok(error.message.includes(`${field}: expected `), error.message);
    return fields;
  }
  return [];
}

test('the defaults are those that are written down', () => {
  assert.deepEqual(serviceConfig({ service: 'order' }), {
    service: 'order',
    discovery: 'embedded',
    balancing: 'round_robin',
    healthCheck: { kind: 'grpc' },
    checkIntervalMs: 30_000,
    checkTimeoutMs: 5000,
    checkRetries: 3,
    circuitBreaker: true,
    callTimeoutMs: 5000,
  });
});

test('every one of them can be set, and what is undefined has its default', () => {
  const all = {
    service: 'order',
    discovery: 'consul',
    balancing: 'least_request',
    healthCheck: { kind: 'http', path: '/up?deep=1', status: { from: 200, to: 204 }, body: 'ok' },
    checkIntervalMs: 1000,
    checkTimeoutMs: 1000,
    checkRetries: 1,
    circuitBreaker: false,
    callTimeoutMs: 250,
  } as const;
  assert.deepEqual(serviceConfig(all), all);
  const sparse = { ...all, callTimeoutMs: undefined } as unknown as ServiceConfigInit;
  assert.equal(serviceConfig(sparse).callTimeoutMs, 5000);
});

test('every kind of check is taken, and its own fields are looked at', () => {
  const good = [
    { kind: 'tcp' },
    { kind: 'grpc', service: 'shop.Order' },
    { kind: 'script', argv: ['/bin/check', '--deep', ''] },
    { kind: 'ttl', ttlMs: 15_000 },
    { kind: 'http' },
  ];
  for (const healthCheck of good) assert.deepEqual(wrong({ service: 'a', healthCheck }), []);
  const bad: readonly (readonly [check: unknown, ...fields: string[]])[] = [
    [{ kind: 'ping' }, 'healthCheck.kind'],
    [{}, 'healthCheck.kind'],
    ['tcp', 'healthCheck'],
    [null, 'healthCheck'],
    [{ kind: 'tcp', port: 1 }, 'healthCheck.port'],
    [{ kind: 'http', path: 'up' }, 'healthCheck.path'],
    [{ kind: 'http', path: '/a b' }, 'healthCheck.path'],
    [{ kind: 'http', path: '/a\r\nx: y' }, 'healthCheck.path'],
    [{ kind: 'http', status: { from: 300, to: 200 }, body: 7 }, 'healthCheck.status', 'healthCheck.body'],
    [{ kind: 'http', status: 200 }, 'healthCheck.status'],
    [{ kind: 'script' }, 'healthCheck.argv'],
    [{ kind: 'script', argv: [] }, 'healthCheck.argv'],
    [{ kind: 'script', argv: ['a\0b'] }, 'healthCheck.argv'],
    [{ kind: 'script', argv: 'rm -rf /' }, 'healthCheck.argv'],
    [{ kind: 'ttl' }, 'healthCheck.ttlMs'],
  ];
  for (const [healthCheck, ...fields] of bad) {
    assert.deepEqual(wrong({ service: 'a', healthCheck }), fields, JSON.stringify(healthCheck));
  }
});

test('all problems are told at once, the misspelt ones too', () => {
  const fields = wrong({
    service: '',
    discovery: 'dbus',
    balancing: 'best',
    healthCheck: { kind: 'ttl', ttlMs: 0, ttl: 5 },
    checkIntervalMs: 1.5,
    checkTimeoutMs: 0,
    checkRetries: 0,
    circuitBreaker: 'on',
    callTimeoutMs: Number.POSITIVE_INFINITY,
    callTimeout: 5,
  });
  assert.deepEqual(fields, [
    'service',
    'discovery',
    'balancing',
    'checkIntervalMs',
    'checkTimeoutMs',
    'checkRetries',
    'circuitBreaker',
    'callTimeoutMs',
    'healthCheck.ttlMs',
    'healthCheck.ttl',
    'callTimeout',
  ]);
});

test('a check cannot take longer than the time to the next one', () => {
  assert.deepEqual(wrong({ service: 'a', checkIntervalMs: 1000 }), ['checkTimeoutMs']);
  assert.deepEqual(wrong({ service: 'a', checkIntervalMs: 5000 }), []);
});

test('property: whatever is given, it is taken or refused with its own error', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (all, healthCheck) => {
      wrong(all);
      wrong({ service: 'a', healthCheck });
    }),
  );
});
