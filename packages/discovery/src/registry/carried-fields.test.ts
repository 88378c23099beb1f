import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CarrierRules, carryFields, readCarried } from './carried-fields.ts';
import { healthValues, instanceStates, protocols } from './instance.ts';
import { instance, readInstance } from './validate-instance.ts';

const rules: CarrierRules = {
  prefix: 'heddle-',
  isKey: (key) => /^[A-Za-z0-9_-]{1,20}$/.test(key),
  isValue: (value) => /^[\x20-\x7e]*$/.test(value),
  longestValue: 64,
  mostEntries: 200,
};

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 100 })
  .filter((each) => !/\p{Cc}/u.test(each) && each.length <= 100);
const key = fc.oneof(
  text,
  fc.constantFrom('heddle-zone', 'heddle-more0', 'heddle-lease', '__proto__', 'team'),
);
const anyInstance = fc
  .record({
    version: fc.oneof(fc.constant(''), text),
    metadata: fc.dictionary(key, fc.oneof(fc.constant(''), text), { maxKeys: 10, noNullPrototype: true }),
    state: fc.constantFrom(...instanceStates),
    weight: fc.nat(65_535),
    zone: text,
    region: text,
    tags: fc.array(text, { maxLength: 5 }),
    protocol: fc.constantFrom(...protocols),
    health: fc.constantFrom(...healthValues),
  })
  .map((fields) => instance({ service: 'users', address: '10.0.0.1', port: 1, ...fields }));
const lacking = ['version', 'state', 'weight', 'zone', 'region', 'tags', 'protocol', 'health'] as const;

test('any instance survives, whatever the metadata may be, and so do extras', () => {
  fc.assert(
    fc.property(anyInstance, (given) => {
      const carried = carryFields(given, lacking, rules, { lease: 'abc' });
      for (const [name, value] of Object.entries(carried)) {
        assert.ok(rules.isKey(name), name);
        assert.ok(Buffer.byteLength(value) <= 64 && rules.isValue(value), value);
      }
      const { metadata, fields, extras } = readCarried(carried, rules.prefix);
      const { service, address, port, id } = given;
      assert.deepEqual(readInstance({ service, address, port, id, ...fields, metadata }).instance, given);
      assert.deepEqual(extras, { lease: 'abc' });
    }),
  );
});

test('plain values stand under their names, where other tools can read them', () => {
  const given = instance({
    service: 'users',
    address: '10.0.0.1',
    port: 1,
    zone: 'z1',
    metadata: { team: 'blue' },
  });
  assert.deepEqual(carryFields(given, ['zone', 'weight', 'tags'], rules), {
    team: 'blue',
    'heddle-zone': 'z1',
    'heddle-weight': '100',
  });
});

test('what does not fit in all is refused, and says so', () => {
  const metadata = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`k${at}`, 'v'.repeat(100)]));
  const given = instance({ service: 'users', address: '10.0.0.1', port: 1, metadata });
  assert.throws(() => carryFields(given, [], { ...rules, mostEntries: 8 }), {
    reason: 'METADATA_TOO_LARGE',
    sent: false,
  });
});

test('metadata of others is taken as it is', () => {
  const { metadata, fields, extras } = readCarried({ a: 'b', 'heddle-more0': '{' }, 'heddle-');
  assert.deepEqual([metadata, fields, extras], [{ a: 'b' }, {}, {}]);
});
