import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ConfirmChannel } from 'amqplib';
import { type Outgoing, framesOf, publishTogether } from './rabbit-frames.ts';

/** What amqplib encodes with; it exports none of it. */
interface Encoder {
  readonly BasicPublish: number;
  readonly BasicProperties: number;
  encodeMethod(method: number, channel: number, fields: object): Buffer;
  encodeProperties(properties: number, channel: number, size: number, fields: object): Buffer;
}
const place = (file: string): string => new URL(file, import.meta.resolve('amqplib')).href;
const { default: encoder } = (await import(place('lib/defs.js'))) as { readonly default: Encoder };
const { default: bodies } = (await import(place('lib/frame.js'))) as {
  readonly default: { makeBodyFrame(channel: number, payload: Buffer): Buffer };
};

const channel = 3;
const frameMax = 4096;

function theirs(all: readonly Outgoing[]): Buffer {
  return Buffer.concat(
    all.flatMap(({ exchange = '', to, content, properties: { headers, contentType } }) => {
      const fields = { exchange, routingKey: to, mandatory: true, immediate: false, ticket: 0 };
      const properties = { headers, contentType, deliveryMode: 2 };
      const parts = [
        encoder.encodeMethod(encoder.BasicPublish, channel, fields),
        encoder.encodeProperties(encoder.BasicProperties, channel, content.length, properties),
      ];
      const most = frameMax - 8;
      for (let from = 0; from < content.length; from += most)
        parts.push(bodies.makeBodyFrame(channel, content.subarray(from, from + most)));
      return parts;
    }),
  );
}

const persistent = { persistent: true, mandatory: true } as const;
const body = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, (_, at) => at % 251));
const plain: Outgoing = {
  to: 'a.queue',
  content: body(10),
  properties: { ...persistent, headers: { a: 'b' } },
};

suite('frames of AMQP', () => {
  const cases: Record<string, readonly Outgoing[]> = {
    'one message': [plain],
    'several, to an exchange and to queues': [plain, { ...plain, exchange: 'later', to: '0.1.queue' }, plain],
    'a type of content, and text that is not ASCII': [
      {
        to: 'zürich',
        content: body(3),
        properties: {
          ...persistent,
          contentType: 'application/json',
          headers: { 'x-ü': '日本 🧵', empty: '' },
        },
      },
    ],
    'nothing in it': [{ ...plain, content: body(0), properties: { ...persistent, headers: {} } }],
    'bodies of one frame, just one, and several': [4087, 4088, 4089, 20_000].map((size) => ({
      ...plain,
      content: body(size),
    })),
    'long headers': [{ ...plain, properties: { ...persistent, headers: { long: 'ö'.repeat(1500) } } }],
  };
  for (const [name, all] of Object.entries(cases))
    test(`${name}: byte for byte what amqplib writes`, () => {
      const found = framesOf(channel, frameMax, all);
      assert.ok(found.equals(theirs(all)), found.toString('hex').slice(0, 400));
    });

  test('what no frame can carry is refused before anything is sent', () => {
    const refused = (headers: Record<string, string>): (() => Buffer) => {
      const all = [{ ...plain, properties: { ...persistent, headers } }];
      return () => framesOf(channel, frameMax, all);
    };
    assert.throws(refused({ ['n'.repeat(256)]: '' }), { reason: 'BAD_MESSAGE' });
    assert.throws(refused({ a: 'x'.repeat(5000) }), { reason: 'BAD_MESSAGE' });
  });

  test('a channel that has been closed, or an amqplib that is another, is left alone', () => {
    const closed = { ch: 1, connection: { frameMax, channels: [null, null] }, pushConfirmCallback: () => {} };
    const buffer = { write: () => assert.fail('written') };
    const reused = { ...closed, connection: { frameMax, channels: [null, { channel: {}, buffer }] } };
    for (const one of [closed, reused, {}])
      assert.equal(
        publishTogether(one as unknown as ConfirmChannel, [plain], () => assert.fail()),
        false,
      );
  });
});
