import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromAttributes, toAttributes } from './cloud-event.ts';
import type { Message } from './message.ts';

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length });
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const header = fc.string({ unit: fc.constantFrom(...'abz019.-_'.split('')), minLength: 1, maxLength: 12 });

const messages: fc.Arbitrary<Message> = fc.record(
  {
    id: text,
    kind: fc.constantFrom('command', 'event', 'query'),
    topic: fc.constant('orders'),
    key: fc.string(),
    type: text,
    payload: fc.uint8Array({ maxLength: 8 }),
    contentType: text,
    schema: fc.string(),
    schemaVersion: fc.nat(),
    source: text,
    correlationId: text,
    causationId: fc.string(),
    replyTo: fc.string(),
    timeMs: fc.nat(4_000_000_000_000),
    aggregateId: fc.string(),
    aggregateVersion: fc.nat(),
    deliverAtMs: fc.nat(),
    trace: fc.option(
      fc.record(
        { traceId: hex(32), spanId: hex(16), sampled: fc.boolean(), state: fc.constant('a=1') },
        { noNullPrototype: true },
      ),
      { nil: undefined },
    ),
    headers: fc.dictionary(header, fc.string(), { noNullPrototype: true }),
  },
  { noNullPrototype: true },
);

test('a message is the same after the way there and back', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const attributes = toAttributes(message);
      assert.deepEqual(fromAttributes('orders', attributes, message.payload), message);
      // What CloudEvents asks of the names of attributes.
      for (const name of Object.keys(attributes)) assert.match(name, /^[a-z0-9]+$/);
    }),
  );
});

test('the four attributes that CloudEvents requires are there', () => {
  const [message] = fc.sample(messages, 1);
  const { specversion, id, source, type } = toAttributes(message ?? assert.fail());
  assert.equal(specversion, '1.0');
  assert.ok(id && source && type);
});

test('a plain CloudEvent of somebody else is understood', () => {
  const message = fromAttributes(
    'orders',
    { specversion: '1.0', id: '7', source: '/shop', type: 'paid' },
    new Uint8Array(),
  );
  assert.deepEqual(
    [message.id, message.kind, message.type, message.correlationId],
    ['7', 'event', 'paid', '7'],
  );
});
