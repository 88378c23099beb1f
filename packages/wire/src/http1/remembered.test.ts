import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, assert as check, constantFrom, integer, property, tuple } from 'fast-check';
import { Fields } from '../message/fields.ts';
import { FieldMemory } from './field-memory.ts';
import { MORE } from './head-reader.ts';
import { HeadWriter } from './head-writer.ts';
import { http1ServerLimits } from './server-limits.ts';
import { RequestHeadReader } from './request-head.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('what is written again and again', () => {
  const name = constantFrom('accept', 'x-a', 'x-request-id', 'content-length', 'host', 'x-long');
  const value = constantFrom('', 'a', 'b', 'grüße', 'x'.repeat(40), 'ü'.repeat(30), 'y'.repeat(3000));
  const section = array(tuple(name, value), { maxLength: 12 });

  test('is what is written without a memory', () => {
    check(
      property(array(section, { minLength: 1, maxLength: 30 }), (sections) => {
        const memory = new FieldMemory();
        const [with_, without] = [new HeadWriter(), new HeadWriter()];
        for (const fields of sections.map((each) => new Fields(each.flat()))) {
          for (const writer of [with_, without]) writer.begin();
          with_.fields(fields, memory);
          without.fields(fields, new FieldMemory());
          assert.equal(text(with_.take()), text(without.take()));
        }
      }),
    );
  });

  test('what must not be sent is refused each time, and behind what is known too', () => {
    const [writer, memory] = [new HeadWriter(), new FieldMemory()];
    const bad = ['a\r\nb: c', 'a\0', 'Ł'.repeat(30), `${'x'.repeat(30)}\n`, '\ud83d\ude00'.repeat(12)];
    for (let round = 0; round < 3; round++) {
      writer.begin();
      writer.fields(new Fields(['x-a', 'good']), memory);
      assert.equal(text(writer.take()), 'x-a: good\r\n');
      for (const each of bad) {
        writer.begin();
        assert.throws(() => writer.fields(new Fields(['x-a', 'good', 'x-b', each]), memory), {
          reason: 'ILLEGAL_HEAD',
        });
      }
    }
  });
});

describe('a head that is read again', () => {
  const head = (target: string): string =>
    `GET ${target} HTTP/1.1\r\nhost: a\r\nx-a: 1\r\nconnection: x-b\r\nx-b: 2\r\n\r\n`;

  test('means the same as the first time, however it is cut, and whatever was done to that one', () => {
    check(
      property(array(tuple(constantFrom('/1', '/2'), integer({ min: 0, max: 60 }))), (asked) => {
        const reader = new RequestHeadReader(http1ServerLimits);
        for (const [target, cut] of asked) {
          const bytes = Buffer.from(head(target), 'latin1');
          const at = Math.min(cut, bytes.length - 1);
          if (at > 0) assert.equal(reader.read(bytes.subarray(0, at), 0), MORE);
          const rest = Buffer.concat([bytes.subarray(at), Buffer.from('GET')]);
          assert.equal(reader.read(rest, 0), rest.length - 3);
          const { path, authority, persistent, head: said } = reader.take();
          assert.deepEqual([path, authority, persistent, said.fields.raw], [target, 'a', true, ['x-a', '1']]);
          said.fields.set('x-a', 'changed').append('x-c', '3');
        }
      }),
    );
  });

  test('one that goes on differently is read anew', () => {
    const reader = new RequestHeadReader(http1ServerLimits);
    const first = Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    for (let n = 0; n < 3; n++) assert.equal(reader.read(first, 0), first.length);
    const bad = Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n x: folded\r\n\r\n');
    assert.throws(() => reader.read(bad, 0), { reason: 'BAD_FIELD' });
  });
});
