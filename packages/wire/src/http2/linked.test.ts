import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, settle } from '@heddle/kernel';
import { seededRandom } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { type Body, streamBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpService } from '../message/http.ts';
import { Linked } from './testdata/linked.ts';
import { request } from './testdata/client-by-hand.ts';

interface Content {
  readonly chunks: readonly number[];
  readonly whole: boolean;
  readonly trailers: boolean;
}

const contentArbitrary: fc.Arbitrary<Content> = fc.record({
  chunks: fc.array(fc.oneof(fc.nat(50), fc.nat(40_000)), { maxLength: 6 }),
  whole: fc.boolean(),
  trailers: fc.boolean(),
});

function bytesOf({ chunks }: Content): Buffer {
  return Buffer.concat(chunks.map((size, at) => Buffer.alloc(size, at + 1)));
}

function bodyOf(content: Content): Body {
  const trailers = content.trailers ? Fields.of({ 'x-sum': String(bytesOf(content).length) }) : undefined;
  if (content.whole) return wholeBody(bytesOf(content), trailers);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (const [at, size] of content.chunks.entries()) yield Buffer.alloc(size, at + 1);
  };
  return streamBody(source(), { trailers: () => trailers });
}

/** Sends back what it gets, in the way that the path says. */
const echo: HttpService = async ({ path, body, fields }) => {
  if (path === '/pour') return { status: 200, fields, body };
  const bytes = await body.bytes(10_000_000);
  return { status: 201, fields, body: wholeBody(bytes, body.trailers) };
};

describe('client and server', () => {
  test('understand each other, whatever is sent and however the wire cuts it', async () => {
    const exchange = fc.record({
      content: contentArbitrary,
      path: fc.constantFrom('/pour', '/gather'),
      value: fc.string({ maxLength: 20, unit: fc.constantFrom('a', '\u00e9', ';', '~') }),
    });
    const run = fc.asyncProperty(
      fc.array(exchange, { minLength: 1, maxLength: 8 }),
      fc.nat(),
      async (exchanges, seed) => {
        const linked = new Linked(echo, seededRandom(seed));
        const answers = exchanges.map(({ content, path, value }) => {
          const call = Call.root(linked.runtime);
          const sent = request({
            method: 'POST',
            path,
            body: bodyOf(content),
            fields: Fields.of({ 'x-v': value }),
          });
          return settle(linked.client.request, sent, call).then(async (result) => {
            assert.ok(result.ok, result.ok ? '' : result.error.message);
            const { body, fields } = result.value;
            const bytes = await body.bytes(10_000_000);
            return { call, bytes, trailers: body.trailers, value: fields.get('x-v') };
          });
        });
        await linked.run();
        for (const [at, answer] of (await Promise.all(answers)).entries()) {
          const { content, value } = exchanges[at] ?? exchanges[0] ?? assert.fail();
          assert.ok(bytesOf(content).equals(answer.bytes));
          assert.equal(answer.value, value);
          const sum = content.trailers ? String(answer.bytes.length) : undefined;
          assert.equal(answer.trailers?.get('x-sum'), sum);
          assert.deepEqual(answer.call.outcome, { error: undefined });
        }
        assert.equal(linked.client.active, 0);
        assert.equal(linked.server.activeStreams, 0);
        assert.equal(linked.client.state, 'open');
      },
    );
    await fc.assert(run, { seed: 9113, numRuns: 60 });
  });

  test('get through windows of one byte', async () => {
    const limits = { streamWindowBytes: 1, maxStreamWindowBytes: 1 };
    const linked = new Linked(echo, seededRandom(1), limits);
    const sent = request({
      method: 'POST',
      path: '/pour',
      body: wholeBody(Buffer.from('through the eye of a needle')),
    });
    const result = settle(linked.client.request, sent, Call.root(linked.runtime));
    await linked.run();
    const answered = await result;
    assert.ok(answered.ok);
    const bytes = answered.value.body.bytes(1000);
    await linked.run();
    assert.equal(Buffer.from(await bytes).toString(), 'through the eye of a needle');
  });

  test('a reader that does not read holds back the writer, to the size of a window', async () => {
    let made = 0;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        made += 10_000;
        yield Buffer.alloc(10_000);
      }
    };
    const endless: HttpService = async () => ({
      status: 200,
      fields: new Fields(),
      body: streamBody(source()),
    });
    const linked = new Linked(endless, seededRandom(1));
    const answered = settle(linked.client.request, request(), Call.root(linked.runtime));
    await linked.run();
    const result = await answered;
    assert.ok(result.ok);
    assert.ok(made > 65_535 && made < 90_000, `${made} bytes were made for a window of 65535`);
    const reader = result.value.body[Symbol.asyncIterator]();
    for (let read = 0; read < 1_000_000; ) {
      const next = reader.next();
      await linked.run();
      const { value } = await next;
      assert.ok(value instanceof Uint8Array);
      read += value.length;
    }
    assert.ok(made < 1_000_000 + 600_000, `${made} bytes were made; windows grow to 512 KiB and no further`);
    await reader.return?.();
  });
});
