import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { type Body, Fields, IncomingBody } from '@heddle/wire';
import { KeptBody } from './kept-body.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function incoming(): { readonly body: IncomingBody; readonly log: string[] } {
  const log: string[] = [];
  const body = new IncomingBody(
    {
      wanted: () => void log.push('wanted'),
      consumed: () => undefined,
      abandoned: () => void log.push('abandoned'),
    },
    undefined,
  );
  return { body, log };
}

async function textOf(body: Body): Promise<string> {
  return new TextDecoder().decode(await body.bytes(1000));
}

describe('kept content', () => {
  test('is read again from the beginning, trailers too', async () => {
    const { body, log } = incoming();
    const kept = new KeptBody(body, 100);
    body.push(bytes('one '));
    const first = kept.view();
    const reading = textOf(first);
    body.push(bytes('two'));
    body.finish(Fields.of({ 'x-end': '1' }));
    assert.equal(await reading, 'one two');
    assert.deepEqual(log, ['wanted']);
    const second = kept.view();
    assert.equal(await textOf(second), 'one two');
    assert.equal(second.trailers?.get('x-end'), '1');
  });

  test('goes on to the next attempt where the one before has left', async () => {
    const { body, log } = incoming();
    const kept = new KeptBody(body, 100);
    const first = kept.view()[Symbol.asyncIterator]();
    const next = first.next();
    body.push(bytes('a'));
    assert.equal((await next).done, false);
    await first.return?.();
    const reading = textOf(kept.view());
    body.push(bytes('b'));
    body.finish();
    assert.equal(await reading, 'ab');
    assert.deepEqual(log, ['wanted'], 'nobody tells the sender that an attempt was given up');
  });

  test('is passed on, but not kept, once it is too much', async () => {
    const { body } = incoming();
    const kept = new KeptBody(body, 4);
    const reading = textOf(kept.view());
    body.push(bytes('abc'));
    assert.ok(kept.repeatable);
    body.push(bytes('def'));
    body.finish();
    assert.equal(await reading, 'abcdef');
    assert.ok(!kept.repeatable);
    await assert.rejects(textOf(kept.view()), { reason: 'BODY_NOT_KEPT' });
  });

  test('has copies that hold nobody up', async () => {
    const { body } = incoming();
    const kept = new KeptBody(body, 4);
    const copy = kept.copy()[Symbol.asyncIterator]();
    const reading = textOf(kept.view());
    const first = copy.next();
    body.push(bytes('abc'));
    await first;
    for (const part of ['def', 'ghi', 'jkl']) body.push(bytes(part));
    body.finish();
    assert.equal(await reading, 'abcdefghijkl');
    await assert.rejects(async () => {
      for (;;) if ((await copy.next()).done === true) return;
    });
  });

  test('that breaks off breaks off for each', async () => {
    const { body } = incoming();
    const kept = new KeptBody(body, 100);
    const reading = textOf(kept.view());
    body.fail(new HeddleError({ code: 'unavailable', reason: 'LOST', message: 'lost' }));
    await assert.rejects(reading, { reason: 'LOST' });
    await assert.rejects(textOf(kept.view()), { reason: 'LOST' });
  });
});
