import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { newUser } from './user.ts';

const body = {
  name: 'Anna Bauer',
  email: 'Anna@Example.com',
  address: { street: 'Parkweg 1', postcode: '20999', city: 'Hamburg', country: 'de' },
};

test('newUser reads and normalises', () => {
  assert.deepEqual(newUser(body, 'u-1'), {
    userId: 'u-1',
    name: 'Anna Bauer',
    email: 'anna@example.com',
    address: { street: 'Parkweg 1', postcode: '20999', city: 'Hamburg', country: 'DE' },
  });
});

test('newUser names the field that is wrong', () => {
  const wrong: readonly (readonly [RegExp, Record<string, unknown>])[] = [
    [/name/, { ...body, name: '' }],
    [/email/, { ...body, email: 'anna' }],
    [/address/, { ...body, address: 'Hamburg' }],
    [/country/, { ...body, address: { ...body.address, country: 'D' } }],
    [/street/, { ...body, address: { ...body.address, street: 'x'.repeat(101) } }],
  ];
  for (const [field, each] of wrong) {
    assert.throws(
      () => newUser(each, 'u-1'),
      (thrown) => thrown instanceof HeddleError && field.test(thrown.message),
    );
  }
});
