import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wholeBytes } from './body.ts';
import { ReceivedBody } from './received-body.ts';

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe('content in borrowed memory', () => {
  const received = (): { body: ReceivedBody; back: Uint8Array[]; chunk: Uint8Array } => {
    const chunk = new Uint8Array(Buffer.from('head content'));
    const back: Uint8Array[] = [];
    const lender = { giveBack: (memory: Uint8Array) => void back.push(memory) };
    return { body: new ReceivedBody(lender, chunk, 5), back, chunk };
  };

  it('goes back as a whole, once, when the first to look has copied it', async () => {
    const { body, back, chunk } = received();
    assert.equal(text(body.content()), 'content');
    body.copied();
    body.copied();
    assert.deepEqual(back, [chunk]);
    await assert.rejects(body.bytes(100), { reason: 'BODY_ALREADY_READ' });
    assert.throws(() => wholeBytes(body), { reason: 'BODY_ALREADY_READ' });
  });

  it('belongs to who has seen it before, and may be read again', async () => {
    const { body, back } = received();
    assert.equal(text(wholeBytes(body)), 'content');
    assert.equal(text(body.content()), 'content');
    body.copied();
    assert.deepEqual(back, []);
    assert.equal(text(await body.bytes(100)), 'content');
  });

  it('belongs to who iterates over it', async () => {
    const { body, back } = received();
    for await (const chunk of body) assert.equal(text(chunk), 'content');
    body.copied();
    assert.deepEqual(back, []);
  });
});
