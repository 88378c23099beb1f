import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HandConnection } from '../http1/testdata/hand-connection.ts';
import { handRuntime } from '../http1/testdata/hand-runtime.ts';
import { Fields } from '../message/fields.ts';
import { HeaderWriter } from './header-writer.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { Output } from './output.ts';
import { PeerSettings } from './settings.ts';

/** A writer, and the decoder at the other end of its connection. */
class Bench {
  readonly peer = new PeerSettings();
  readonly #connection = new HandConnection();
  readonly #output = new Output(this.#connection, handRuntime().timers, () => {});
  readonly writer = new HeaderWriter(this.#output, this.peer);
  readonly #decoder = new HpackDecoder();
  #read = 0;

  /** What the other end makes of the one frame that was written last, and how long its block was. */
  decoded(): { readonly fields: string[]; readonly blockBytes: number; readonly flags: number } {
    this.#output.flush();
    const frame = Buffer.from(this.#connection.written, 'latin1').subarray(this.#read);
    this.#read += frame.length;
    const fields: string[] = [];
    this.#decoder.decode(frame, 9, frame.length, { field: ({ name, value }) => fields.push(name, value) });
    assert.equal(frame.readUIntBE(0, 3), frame.length - 9);
    return { fields, blockBytes: frame.length - 9, flags: frame[4] as number };
  }
}

const ok = [':status', '200'];

describe('header sections that are written again', () => {
  test('mean the same as the first time, whatever was written in between', () => {
    // Few names and values, so that sections come again, some that are remembered and some that are not.
    const field = fc.tuple(
      fc.constantFrom('content-type', 'etag', 'x-any', 'authorization', 'host', 'traceparent'),
      fc.constantFrom('a', 'b', 'x'.repeat(60)),
    );
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ section: fc.array(field, { maxLength: 3 }), end: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ tableBytes: fc.constantFrom(0, 60, 200, 4096) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bench = new Bench();
        for (const each of steps) {
          if ('tableBytes' in each) {
            bench.writer.resizeTable(each.tableBytes);
            continue;
          }
          const fields = new Fields(each.section.flat());
          bench.writer.write(1, ok, fields, each.end);
          const sent = each.section.filter(([name]) => name !== 'host').flat();
          const found = bench.decoded();
          assert.deepEqual(found.fields, [...ok, ...sent]);
          assert.equal(found.flags, each.end ? 0x5 : 0x4);
        }
      }),
      { seed: 7541, numRuns: 300 },
    );
  });

  test('are repeated but for a traceparent at their end, which is written anew', () => {
    const bench = new Bench();
    const section = (value: string): Fields =>
      Fields.of({ 'content-type': 'application/grpc', traceparent: value });
    for (let time = 0; time < 3; time++) {
      bench.writer.write(1, ok, section(`${time}`), false);
      bench.decoded();
    }
    assert.equal(bench.writer.repeat(1, ok, section('another'), false), true);
    assert.deepEqual(bench.decoded().fields, [
      ...ok,
      'content-type',
      'application/grpc',
      'traceparent',
      'another',
    ]);
    // Without it, and with one that cannot be sent.
    assert.equal(bench.writer.repeat(1, ok, Fields.of({ 'content-type': 'application/grpc' }), true), true);
    assert.deepEqual(bench.decoded().fields, [...ok, 'content-type', 'application/grpc']);
    assert.equal(bench.writer.repeat(1, ok, section('bad\u0000'), false), false);
    assert.throws(() => bench.writer.write(1, ok, section('bad\u0000'), false), { reason: 'INVALID_FIELD' });
    // The peer's limit counts it.
    bench.peer.maxHeaderListBytes = 110;
    assert.equal(bench.writer.repeat(1, ok, section('x'.repeat(60)), false), false);
    assert.throws(() => bench.writer.write(1, ok, section('x'.repeat(60)), false), {
      reason: 'FIELDS_TOO_LARGE',
    });
  });

  test('are repeated once nothing about them is new to the decoder', () => {
    const { writer } = new Bench();
    const fields = Fields.of({ 'content-type': 'application/grpc' });
    assert.equal(writer.repeat(1, ok, fields, false), false);
    for (let time = 0; time < 2; time++) writer.write(1, ok, fields, false);
    assert.equal(writer.repeat(1, ok, fields, true), true);
    assert.equal(writer.repeat(1, ok, Fields.of({ 'content-type': 'application/json' }), true), false);
    // The encoder remembers one more: an index means another field now.
    writer.write(1, ok, Fields.of({ 'content-type': 'application/json' }), false);
    assert.equal(writer.repeat(1, ok, fields, true), false);
  });

  test('do not follow their fields when those are changed afterwards', () => {
    const bench = new Bench();
    const fields = Fields.of({ etag: 'a' });
    for (let time = 0; time < 3; time++) bench.writer.write(1, ok, fields, false);
    bench.writer.write(1, ok, fields.set('etag', 'b'), false);
    assert.equal(bench.writer.repeat(1, ok, Fields.of({ etag: 'a' }), false), true);
    bench.writer.write(1, ok, fields.set('etag', 'b\n').set('etag', 'c'), false);
    assert.throws(() => bench.writer.write(1, ok, fields.set('etag', 'b\n'), false), {
      reason: 'INVALID_FIELD',
    });
  });

  test('are held to a limit that the peer has lowered since', () => {
    const bench = new Bench();
    const fields = Fields.of({ etag: 'a' });
    for (let time = 0; time < 3; time++) bench.writer.write(1, ok, fields, false);
    bench.peer.maxHeaderListBytes = 20;
    assert.throws(() => bench.writer.write(1, ok, fields, false), { reason: 'FIELDS_TOO_LARGE' });
  });

  test('are found among many that never come again', () => {
    const bench = new Bench();
    const often = Fields.of({ etag: 'often' });
    let repeated = 0;
    for (let time = 0; time < 400; time++) {
      bench.writer.write(1, ok, Fields.of({ etag: `once ${time}` }), false);
      if (bench.writer.repeat(1, ok, often, false)) repeated++;
      else bench.writer.writeNew(1, ok, often, false);
    }
    assert.ok(repeated > 0, 'keeps one now and then');
  });
});
