import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import fc from 'fast-check';
import { hostPort, type InstanceInit } from './instance.ts';
import { checkServiceName, type FieldViolation, instance, readInstance } from './validate-instance.ts';

const good: InstanceInit = { service: 'users', address: '10.0.0.1', port: 8080 };

function violationsOf(init: unknown): string[] {
  try {
    instance(init as InstanceInit);
  } catch (error) {
    assert.ok(error instanceof HeddleError && error.is('invalid_argument', 'BAD_INSTANCE'), String(error));
    assert.equal(error.sent, false);
    const fields = error.details.map((detail) => (detail.value as FieldViolation).field);
    for (const field of fields) assert.ok(error.message.includes(`${field}: expected`), error.message);
    return fields;
  }
  return [];
}

test('the defaults are those of the contract', () => {
  assert.deepEqual(instance(good), {
    id: 'users@10.0.0.1:8080',
    service: 'users',
    address: '10.0.0.1',
    port: 8080,
    version: '',
    metadata: {},
    state: 'running',
    weight: 100,
    zone: 'default',
    region: 'default',
    tags: [],
    protocol: 'grpc',
    health: 'unknown',
    lastHeartbeatMs: 0,
  });
  assert.equal(instance({ ...good, address: 'fe80::1%eth0' }).id, 'users@[fe80::1%eth0]:8080');
});

test('an instance cannot be changed, not even through what it was made from', () => {
  const tags = ['a'];
  const metadata = { k: 'v' };
  const made = instance({ ...good, tags, metadata });
  tags.push('b');
  metadata.k = 'w';
  assert.deepEqual([made.tags, made.metadata], [['a'], { k: 'v' }]);
  assert.ok(Object.isFrozen(made) && Object.isFrozen(made.tags) && Object.isFrozen(made.metadata));
});

const bad: readonly (readonly [field: string, value: unknown])[] = [
  ['service', ''],
  ['service', 'a/b'],
  ['service', 'a'.repeat(254)],
  ['id', ''],
  ['id', 'a\u0000b'],
  ['address', ''],
  ['address', '10.0.0.1\n'],
  ['address', '[::1]'],
  ['address', '1.2.3'],
  ['address', ':::1'],
  ['address', '1:2:3:4:5:6:7:8:9'],
  ['address', 'a..b'],
  ['address', 7],
  ['port', 0],
  ['port', 70_000],
  ['port', 80.5],
  ['port', '80'],
  ['port', Number.NaN],
  ['version', 'v\r\n1'],
  ['metadata', ['a']],
  ['metadata', { a: 1 }],
  ['metadata', { 'a\n': 'b' }],
  ['metadata', Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, '']))],
  ['state', 'gone'],
  ['weight', -1],
  ['weight', 65_536],
  ['zone', ''],
  ['region', 'x'.repeat(129)],
  ['tags', 'api'],
  ['tags', ['']],
  ['protocol', 'udp'],
  ['health', 'fine'],
];

for (const [field, value] of bad) {
  test(`${field} ${JSON.stringify(value)?.slice(0, 40)} is refused by name`, () => {
    const id = field === 'id' ? {} : { id: 'i1' };
    assert.deepEqual(violationsOf({ ...good, ...id, [field]: value }), [field]);
  });
}

test('all problems are told at once', () => {
  const init = { id: 'x', service: '', address: 'a\nb', port: 70_000, weight: -1, state: 'odd', tags: [3] };
  assert.deepEqual(violationsOf(init), ['service', 'address', 'port', 'state', 'weight', 'tags']);
});

test('what is no object at all is refused too', () => {
  for (const value of [null, undefined, 3, 'x', []]) assert.deepEqual(violationsOf(value), ['(all)']);
});

test('addresses of every kind are taken', () => {
  for (const address of [
    'localhost',
    'a-1.b_2.example',
    '0.0.0.0',
    '::',
    '::1',
    '1::',
    '::ffff:10.0.0.1',
    '1:2:3:4:5:6:7:8',
  ]) {
    assert.deepEqual(violationsOf({ ...good, address }), [], address);
  }
});

test('every valid IP address is taken', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => violationsOf({ ...good, address }).length === 0),
  );
});

test('reading anything never throws, and what is read reads the same again', () => {
  const odd = fc.record({
    service: fc.anything(),
    address: fc.anything(),
    port: fc.anything(),
    tags: fc.anything(),
  });
  fc.assert(
    fc.property(fc.oneof(fc.anything(), odd), (given) => {
      const { instance: read } = readInstance(given);
      if (read !== undefined) assert.deepEqual(readInstance(JSON.parse(JSON.stringify(read))).instance, read);
    }),
  );
});

test('host and port are joined as URLs have them', () => {
  assert.equal(hostPort({ address: '::1', port: 80 }), '[::1]:80');
  assert.equal(hostPort({ address: 'a.b', port: 80 }), 'a.b:80');
});

test('a bad service name is refused', () => {
  assert.throws(() => checkServiceName('a b'), { reason: 'BAD_SERVICE_NAME' });
  checkServiceName('a');
});
