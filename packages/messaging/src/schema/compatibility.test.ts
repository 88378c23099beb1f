import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incompatibilities, obstacles, type SchemaDocument } from './compatibility.ts';

const order: SchemaDocument = {
  type: 'object',
  properties: { id: { type: 'string' }, total: { type: 'integer', minimum: 0 } },
  required: ['id', 'total'],
};

const with_ = (more: object): SchemaDocument => ({ ...(order as object), ...more });

test('the same is compatible in both directions, whatever the order of its words', () => {
  const turned = { required: ['id', 'total'], ...(order as object) };
  assert.deepEqual(incompatibilities(order, turned, 'full'), []);
  assert.deepEqual(incompatibilities(order, with_({ title: 'Order', description: 'x' }), 'full'), []);
});

test('a field that may be missing can come and go; one that is required can only go or come, by direction', () => {
  const properties = {
    id: { type: 'string' },
    total: { type: 'integer', minimum: 0 },
    note: { type: 'string' },
  };
  assert.deepEqual(incompatibilities(order, with_({ properties }), 'full'), []);
  const required = with_({ properties, required: ['id', 'total', 'note'] });
  assert.deepEqual(incompatibilities(order, required, 'forward'), []);
  assert.deepEqual(incompatibilities(order, required, 'backward'), [
    'what was written before cannot be read: $.note: the reader requires it, it may be missing',
  ]);
  const less = with_({ properties: { id: { type: 'string' } }, required: ['id'] });
  assert.deepEqual(incompatibilities(order, less, 'backward'), []);
  assert.match(incompatibilities(order, less, 'forward').join(), /\$\.total: the reader requires it/);
});

test('types, values and bounds can be widened for readers, and narrowed for writers', () => {
  const wide = with_({ properties: { id: { type: 'string' }, total: { type: 'number' } } });
  assert.deepEqual(incompatibilities(order, wide, 'backward'), []);
  assert.deepEqual(incompatibilities(order, wide, 'forward'), [
    'who reads the version before cannot read it: $.total: the reader takes integer, it may be number',
    'who reads the version before cannot read it: $.total: the reader takes minimum 0, it was not limited',
  ]);
  assert.deepEqual(obstacles({ enum: ['a', 'b'] }, { enum: ['a'] }), []);
  assert.deepEqual(obstacles({ enum: ['a'] }, { enum: ['a', 'b'] }), [
    '$: the reader does not know the value "b"',
  ]);
  assert.deepEqual(obstacles({ type: 'string', maxLength: 5 }, { type: 'string', maxLength: 9 }), [
    '$: the reader takes maxLength 5, it was 9',
  ]);
});

test('a reader that takes no other fields cannot read a new one; lists are looked into', () => {
  const closed: SchemaDocument = { type: 'object', properties: { id: {} }, additionalProperties: false };
  const more: SchemaDocument = { type: 'object', properties: { id: {}, x: {} }, additionalProperties: false };
  assert.deepEqual(obstacles(closed, more), ['$.x: the reader takes nothing']);
  assert.deepEqual(obstacles(more, closed), []);
  const list = (items: SchemaDocument): SchemaDocument => ({ type: 'array', items });
  assert.deepEqual(obstacles(list({ type: 'string' }), list({ type: ['string', 'null'] })), [
    '$[]: the reader takes string, it may be null',
  ]);
});

test('what cannot be compared stands in the way, unless it is the same', () => {
  const pattern = { type: 'string', pattern: '^a' };
  assert.deepEqual(obstacles(pattern, { type: 'string', pattern: '^a', title: 'x' }), []);
  assert.deepEqual(obstacles(pattern, { type: 'string' }), [
    '$: pattern has changed, and cannot be compared',
  ]);
});
