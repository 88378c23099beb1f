import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { type Body, chunksAtHand, collect, emptyBody, streamBody, wholeBody, wholeBytes } from './body.ts';
import { Fields } from './fields.ts';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe('a whole body', () => {
  it('may be read again, in either way', async () => {
    const bytes = Buffer.from('hello');
    const body = wholeBody(bytes, Fields.of({ sum: '1' }));
    assert.equal(await body.bytes(5), bytes);
    assert.equal(Buffer.from(await collect(body, 5)).toString(), 'hello');
    assert.equal(wholeBytes(body), bytes);
    assert.equal(body.size, 5);
    assert.equal(body.trailers?.get('sum'), '1');
  });

  it('is refused beyond the limit', async () => {
    await assert.rejects(wholeBody(Buffer.from('hello')).bytes(4), { reason: 'BODY_TOO_LARGE' });
  });

  it('may be nothing', async () => {
    assert.equal((await emptyBody.bytes(0)).byteLength, 0);
    for await (const chunk of emptyBody) assert.fail(`there is a chunk of ${chunk.byteLength} bytes`);
  });
});

describe('a streamed body', () => {
  it('gives chunks, then trailers', async () => {
    const body = streamBody(chunks('hel', 'lo'), { size: 5, trailers: () => Fields.of({ sum: '1' }) });
    assert.equal(wholeBytes(body), undefined);
    assert.equal(Buffer.from(await body.bytes(5)).toString(), 'hello');
    assert.equal(body.size, 5);
    assert.equal(body.trailers?.get('sum'), '1');
  });

  it('stops its source beyond the limit', async () => {
    let ended = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(100);
      } finally {
        ended = true;
      }
    };
    await assert.rejects(streamBody(endless()).bytes(250), { reason: 'BODY_TOO_LARGE' });
    assert.equal(ended, true);
  });

  it('rejects after a cancel, with its reason', async () => {
    const body = streamBody(chunks('a', 'b', 'c'));
    const read: string[] = [];
    const error = new HeddleError({ code: 'aborted', reason: 'ENOUGH', message: 'enough' });
    const reading = (async () => {
      for await (const chunk of body) {
        read.push(Buffer.from(chunk).toString());
        body.cancel(error);
      }
    })();
    await assert.rejects(reading, { reason: 'ENOUGH' });
    assert.deepEqual(read, ['a']);
  });
});

describe('a body with its chunks at hand', () => {
  it('is read like any other', async () => {
    const texts = ['hel', 'lo'].map((text) => Buffer.from(text));
    const body = streamBody(texts, { size: 5, trailers: () => Fields.of({ sum: '1' }) });
    assert.notEqual(chunksAtHand(body), undefined);
    assert.equal(chunksAtHand(streamBody(chunks('a'))), undefined);
    assert.equal(Buffer.from(await body.bytes(5)).toString(), 'hello');
    assert.deepEqual([body.size, body.trailers?.get('sum')], [5, '1']);
  });

  it('ends its source when it is cancelled, and rejects with the reason', async () => {
    let ended = false;
    const endless = function* (): Generator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('a');
      } finally {
        ended = true;
      }
    };
    const body = streamBody(endless());
    const reader = body[Symbol.asyncIterator]();
    await reader.next();
    body.cancel(new HeddleError({ code: 'aborted', reason: 'ENOUGH', message: 'enough' }));
    assert.equal(ended, true);
    await assert.rejects(reader.next(), { reason: 'ENOUGH' });
  });

  it('may be cancelled by its own source', () => {
    const bodies: Body[] = [];
    const source = function* (): Generator<Uint8Array> {
      bodies[0]?.cancel();
      yield Buffer.from('a');
    };
    const body = streamBody(source());
    bodies.push(body);
    assert.doesNotThrow(() => chunksAtHand(body)?.next());
  });
});
