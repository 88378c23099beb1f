import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { Fields } from './fields.ts';
import { type BodySink, IncomingBody } from './incoming-body.ts';

// In memory of their own: otherwise small ones would be gathered.
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const broken = new HeddleError({ code: 'unavailable', reason: 'BROKEN', message: 'broken' });

describe('an incoming body', () => {
  let consumed = 0;
  let wanted = 0;
  let abandoned: HeddleError[] = [];
  let body: IncomingBody;

  beforeEach(() => {
    consumed = 0;
    wanted = 0;
    abandoned = [];
    const source = {
      wanted: () => void wanted++,
      consumed: (count: number) => void (consumed += count),
      abandoned: (error: HeddleError) => void abandoned.push(error),
    };
    body = new IncomingBody(source, undefined);
  });

  /** A sink that takes as many chunks at a time as it is told. */
  class Sink implements BodySink {
    readonly got: string[] = [];
    room = Number.POSITIVE_INFINITY;
    data(chunk: Uint8Array): boolean {
      this.got.push(Buffer.from(chunk).toString());
      this.room--;
      return this.room > 0;
    }
    end(trailers: Fields | undefined): void {
      this.got.push(`end ${trailers?.get('sum') ?? ''}`);
    }
    fail(error: HeddleError): void {
      this.got.push(`fail ${error.reason}`);
    }
  }

  it('keeps no more memory alive than five times what waits in it, however small the chunks are', async () => {
    for (let chunk = 0; chunk < 2000; chunk++)
      body.push(new Uint8Array(65_536).fill(chunk, 9, 10).subarray(9, 10));
    assert.equal(body.bufferedBytes, 2000);
    body.finish();
    let kept = 0;
    let at = 0;
    const held = new Set<ArrayBufferLike>();
    for await (const chunk of body) {
      if (!held.has(chunk.buffer)) kept += chunk.buffer.byteLength;
      held.add(chunk.buffer);
      for (const byte of chunk) assert.equal(byte, at++ & 0xff);
    }
    assert.deepEqual([at, consumed], [2000, 2000]);
    assert.ok(kept <= 5 * 2000 + 4096, `${kept} bytes were kept alive for 2000`);
    assert.ok(held.size < 20, `${held.size} pieces`);
  });

  it('leaves alone what its reader has taken when more is gathered', async () => {
    const small = (byte: number): Uint8Array => new Uint8Array(1024).fill(byte).subarray(0, 2);
    body.push(small(1));
    const reader = body[Symbol.asyncIterator]();
    const taken = (await reader.next()).value as Uint8Array;
    body.push(small(2));
    body.push(small(3));
    assert.deepEqual([...taken], [1, 1]);
    assert.deepEqual([...((await reader.next()).value as Uint8Array)], [2, 2, 3, 3]);
  });

  it('gives what was pushed before and after the reader came, in order, without copies', async () => {
    const first = Uint8Array.of(97);
    body.push(first);
    assert.deepEqual([body.bufferedBytes, consumed, wanted, body.read], [1, 0, 0, false]);
    const reader = body[Symbol.asyncIterator]();
    assert.deepEqual([wanted, body.read], [1, true]);
    assert.equal((await reader.next()).value, first);
    assert.equal(consumed, 1);
    const waiting = reader.next();
    body.push(bytes('b'));
    assert.equal(Buffer.from((await waiting).value as Uint8Array).toString(), 'b');
    body.push(bytes('c'));
    body.finish(Fields.of({ sum: '1' }));
    assert.equal(Buffer.from((await reader.next()).value as Uint8Array).toString(), 'c');
    assert.deepEqual(await reader.next(), { done: true, value: undefined });
    assert.deepEqual([consumed, body.bufferedBytes, body.trailers?.get('sum')], [3, 0, '1']);
    assert.deepEqual(abandoned, []);
  });

  it('that broke off gives what had come, then the error', async () => {
    body.push(bytes('a'));
    body.fail(broken);
    const reader = body[Symbol.asyncIterator]();
    assert.equal((await reader.next()).done, false);
    await assert.rejects(reader.next(), { reason: 'BROKEN' });
    assert.deepEqual(abandoned, []);
  });

  it('tells a waiting reader of the end, or the break', async () => {
    const reader = body[Symbol.asyncIterator]();
    const waiting = reader.next();
    body.fail(broken);
    await assert.rejects(waiting, { reason: 'BROKEN' });
    body.finish();
    assert.equal(body.complete, false);
  });

  it('has one reader', async () => {
    body[Symbol.asyncIterator]();
    assert.throws(() => body[Symbol.asyncIterator](), { reason: 'BODY_ALREADY_READ' });
    await assert.rejects(body.bytes(10), { reason: 'BODY_ALREADY_READ' });
    assert.throws(() => body.flow(new Sink()), { reason: 'BODY_ALREADY_READ' });
  });

  it('is read once, also when it was small and whole', async () => {
    const chunk = bytes('hello');
    body.push(chunk);
    body.finish();
    assert.equal(await body.bytes(5), chunk);
    await assert.rejects(body.bytes(5), { reason: 'BODY_ALREADY_READ' });
    assert.equal(consumed, 5);
  });

  it('beyond the limit is given up', async () => {
    body.push(bytes('hello'));
    await assert.rejects(body.bytes(4), { reason: 'BODY_TOO_LARGE' });
    assert.equal(abandoned[0]?.reason, 'BODY_TOO_LARGE');
    body.push(bytes('more'));
    assert.deepEqual([body.bufferedBytes, consumed, body.read], [0, 9, false]);
  });

  it('left early tells its source once, and throws the rest away', async () => {
    body.push(bytes('a'));
    body.push(bytes('b'));
    for await (const chunk of body) {
      assert.equal(Buffer.from(chunk).toString(), 'a');
      break;
    }
    body.cancel();
    body.push(bytes('c'));
    assert.deepEqual(
      abandoned.map(({ reason }) => reason),
      ['READER_LEFT'],
    );
    assert.deepEqual([body.bufferedBytes, consumed], [0, 3]);
  });

  it('cancelled after all was read is as it was', async () => {
    body.push(bytes('a'));
    body.finish();
    await body.bytes(1);
    body.cancel();
    assert.deepEqual(abandoned, []);
  });

  it('cancelled when all has come but nothing was read: the source need not know', async () => {
    body.push(bytes('a'));
    body.finish();
    body.cancel(broken);
    assert.deepEqual([abandoned.length, consumed, body.bufferedBytes], [0, 1, 0]);
    await assert.rejects(body.bytes(10), { reason: 'BROKEN' });
  });

  it('pours itself into a sink as fast as that takes it', () => {
    const sink = new Sink();
    sink.room = 2;
    body.push(bytes('a'));
    body.flow(sink);
    assert.deepEqual([sink.got, wanted, consumed], [['a'], 1, 1]);
    body.push(bytes('b'));
    body.push(bytes('c'));
    body.finish(Fields.of({ sum: '1' }));
    assert.deepEqual([sink.got, consumed, body.bufferedBytes], [['a', 'b'], 2, 1]);
    sink.room = 9;
    body.resume();
    assert.deepEqual([sink.got, consumed], [['a', 'b', 'c', 'end 1'], 3]);
    body.resume();
    assert.equal(sink.got.length, 4);
  });

  it('pours its error, once', () => {
    const sink = new Sink();
    body.flow(sink);
    body.fail(broken);
    body.cancel();
    assert.deepEqual(sink.got, ['fail BROKEN']);
  });

  it('bears a sink that leaves from within', () => {
    const leaving: BodySink = {
      data: () => {
        body.cancel(broken);
        return true;
      },
      end: () => assert.fail('no end after a cancel'),
      fail: () => {},
    };
    body.push(bytes('a'));
    body.push(bytes('b'));
    body.flow(leaving);
    assert.equal(abandoned[0]?.reason, 'BROKEN');
    assert.equal(consumed, 2);
  });
});
