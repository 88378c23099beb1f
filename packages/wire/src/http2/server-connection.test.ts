import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { HandConnection, settled } from '../http1/testdata/hand-connection.ts';
import { handRuntime } from '../http1/testdata/hand-runtime.ts';
import { emptyBody, streamBody, wholeBody, wholeBytes } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { type HttpRequest, type HttpService, peer } from '../message/http.ts';
import { errorCode } from './error-code.ts';
import { flag, frameType } from './frame.ts';
import { serveHttp2 } from './server-connection.ts';
import { block, data, frame, get, headers, hello, settings, uint32 } from './testdata/raw-frames.ts';
import { ByHand } from './testdata/server-by-hand.ts';

const ok = { status: 200, fields: new Fields(), body: emptyBody };

/** Records what reaches it. */
function recorder(): { seen: HttpRequest[]; service: HttpService } {
  const seen: HttpRequest[] = [];
  return {
    seen,
    service: async (request) => {
      seen.push(request);
      return ok;
    },
  };
}

/** Never answers, until its call is given up. */
const waiting: HttpService = (_, call) => new Promise((_resolve, reject) => call.onCancel(reject));

test('a head over several frames that depends on itself is reset once, when it is complete, and not answered', async () => {
  const { seen, service } = recorder();
  const hand = new ByHand(service);
  const head = block(get());
  const priority = Buffer.concat([uint32(1), Buffer.of(15)]);
  await hand.begin(
    frame(
      frameType.headers,
      flag.priority | flag.endStream,
      1,
      Buffer.concat([priority, head.subarray(0, 2)]),
    ),
    frame(frameType.continuation, flag.endHeaders, 1, head.subarray(2)),
    headers(3, get()),
  );
  assert.equal(seen.length, 1, 'only the request behind it');
  assert.equal(hand.log.resetOf(1), errorCode.protocolError);
  assert.deepEqual(
    hand.log.frames.filter(({ streamId }) => streamId === 1).map(({ type }) => type),
    [frameType.rstStream],
  );
});

describe('a request', () => {
  test('reaches the service as RFC 9110 means it', async () => {
    const { seen, service } = recorder();
    const hand = new ByHand(service);
    const fields: [string, string][] = [
      ...get('/a?b=c'),
      ['cookie', 'a=1'],
      ['x-a', '1'],
      ['cookie', 'b=2'],
      ['content-length', '5'],
      ['host', 'TEST'],
    ];
    await hand.begin(headers(1, fields, false), data(1, 'hel'), data(1, 'lo', true));
    const [request] = seen;
    assert.ok(request !== undefined);
    const { method, scheme, authority, path } = request;
    assert.deepEqual([method, scheme, authority, path], ['GET', 'http', 'test', '/a?b=c']);
    assert.deepEqual(
      [...request.fields],
      [
        ['x-a', '1'],
        ['cookie', 'a=1; b=2'],
      ],
    );
    assert.equal(request.body.size, 5);
    assert.equal(
      Buffer.from(wholeBytes(request.body) ?? '').toString(),
      'hello',
      'all there, so it can be replayed',
    );
    assert.deepEqual(hand.ends, [undefined]);
  });

  test('has a call with its peer', async () => {
    let address: unknown;
    const hand = new ByHand(async (_, call) => {
      address = call.get(peer)?.address;
      return ok;
    });
    await hand.begin(headers(1, get()));
    assert.deepEqual(address, hand.connection.remote);
  });

  test('streams in, with trailers, at the pace of its reader', async () => {
    const chunks: string[] = [];
    let trailers: Fields | undefined;
    const hand = new ByHand(async ({ body }) => {
      for await (const chunk of body) chunks.push(Buffer.from(chunk).toString());
      trailers = body.trailers;
      return ok;
    });
    await hand.begin(headers(1, get(), false));
    hand.feed(data(1, 'one'));
    await hand.turn();
    assert.deepEqual(chunks, ['one']);
    hand.feed(data(1, 'two'), headers(1, [['x-sum', '7']], true));
    await hand.turn();
    assert.deepEqual(chunks, ['one', 'two']);
    assert.equal(trailers?.get('x-sum'), '7');
    assert.deepEqual(hand.ends, [undefined]);
  });

  test('that waits for it gets 100 when, and only when, its content is read', async () => {
    let read: () => void = () => {};
    const reading = new Promise<void>((resolve) => {
      read = resolve;
    });
    const hand = new ByHand(async ({ body }) => {
      await reading;
      await body.bytes(10);
      return ok;
    });
    await hand.begin(headers(1, [...get(), ['expect', '100-continue']], false));
    assert.equal(hand.log.ofType(frameType.headers).length, 0);
    read();
    await hand.turn();
    const [informational] = hand.log.ofType(frameType.headers);
    assert.ok(informational !== undefined);
    assert.deepEqual(hand.log.fields(informational), [[':status', '100']]);
    assert.equal(informational.flags & flag.endStream, 0);
    hand.feed(data(1, 'x', true));
    await hand.turn();
    assert.equal(hand.log.ofType(frameType.headers).length, 2);
  });

  test('that its client resets in the chunk it came in never starts', async () => {
    const { seen, service } = recorder();
    const hand = new ByHand(service);
    await hand.begin(headers(1, get()), frame(frameType.rstStream, 0, 1, uint32(errorCode.cancel)));
    assert.equal(seen.length, 0);
    assert.equal(hand.server.abuse.resets, 1);
  });

  test('that its client resets later cancels the call, and ends it', async () => {
    const hand = new ByHand(waiting);
    await hand.begin(headers(1, get()));
    assert.equal(hand.server.activeStreams, 1);
    hand.feed(frame(frameType.rstStream, 0, 1, uint32(errorCode.cancel)));
    await hand.turn();
    assert.ok(hand.ends[0]?.is('cancelled', 'STREAM_RESET'));
    assert.equal(hand.server.activeStreams, 0);
    assert.equal(hand.log.resetOf(1), undefined, 'a reset is not answered with one');
  });

  test('that is lost with its connection is cancelled', async () => {
    const hand = new ByHand(waiting);
    await hand.begin(headers(1, get()), headers(3, get()));
    hand.connection.close(new Error('ECONNRESET'));
    await hand.server.closed;
    assert.deepEqual(
      hand.ends.map((error) => error?.reason),
      ['CONNECTION_LOST', 'CONNECTION_LOST'],
    );
  });
});

describe('a response', () => {
  test('that is all there leaves as one write', async () => {
    const fields = Fields.of({ 'content-type': 'application/grpc' });
    const body = wholeBody(Buffer.from('hello'), Fields.of({ 'grpc-status': '0' }));
    const hand = new ByHand(async () => ({ status: 200, fields, body }));
    await hand.begin();
    const before = hand.connection.writes;
    hand.feed(headers(1, get()));
    await hand.turn();
    assert.equal(hand.connection.writes - before, 1);
    const [head, trailers] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined && trailers !== undefined);
    assert.deepEqual(hand.log.fields(head), [
      [':status', '200'],
      ['content-type', 'application/grpc'],
    ]);
    assert.deepEqual(hand.log.fields(trailers), [['grpc-status', '0']]);
    assert.equal(trailers.flags & flag.endStream, flag.endStream);
    assert.equal(hand.log.ofType(frameType.data)[0]?.payload.toString(), 'hello');
  });

  test('tells its length where it has one and no trailers', async () => {
    const hand = new ByHand(async () => ({ ...ok, body: wholeBody(Buffer.from('12345')) }));
    await hand.begin(headers(1, get()));
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined);
    assert.deepEqual(hand.log.fields(head).at(1), ['content-length', '5']);
  });

  test('to HEAD has the length of what it would send, where the service says no other', async () => {
    const body = wholeBody(Buffer.from('hello'));
    const hand = new ByHand(async () => ({ status: 200, fields: new Fields(), body }));
    await hand.begin(headers(1, [[':method', 'HEAD'], ...get().slice(1)]));
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined && (head.flags & flag.endStream) !== 0);
    assert.deepEqual(hand.log.fields(head).slice(0, 2), [
      [':status', '200'],
      ['content-length', '5'],
    ]);
  });

  test('to HEAD has no content, and the length that the service says', async () => {
    const fields = Fields.of({ 'content-length': '7' });
    const hand = new ByHand(async () => ({ status: 200, fields, body: wholeBody(Buffer.from('ignored')) }));
    await hand.begin(headers(1, [[':method', 'HEAD'], ...get().slice(1)]));
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined);
    assert.deepEqual(hand.log.fields(head), [
      [':status', '200'],
      ['content-length', '7'],
    ]);
    assert.equal(head.flags & flag.endStream, flag.endStream);
    assert.equal(hand.log.ofType(frameType.data).length, 0);
  });

  test('leaves out what is about an HTTP/1.1 connection', async () => {
    const fields = Fields.of({
      connection: 'close',
      'transfer-encoding': 'chunked',
      'x-a': '1',
      'keep-alive': '3',
    });
    const hand = new ByHand(async () => ({ status: 200, fields, body: emptyBody }));
    await hand.begin(headers(1, get()));
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined);
    assert.deepEqual(hand.log.fields(head), [
      [':status', '200'],
      ['x-a', '1'],
    ]);
  });

  test('with a field that cannot be sent becomes a 500, never raw bytes', async () => {
    for (const [name, value] of [
      ['x-a', 'a\r\nset-cookie: b'],
      ['x a', 'b'],
      [':status', '200'],
      ['x-u', '\u4e00'],
    ] as const) {
      const hand = new ByHand(async () => ({
        status: 200,
        fields: new Fields([name, value]),
        body: emptyBody,
      }));
      await hand.begin(headers(1, get()));
      const [head] = hand.log.ofType(frameType.headers);
      assert.ok(head !== undefined);
      assert.deepEqual(hand.log.fields(head), [[':status', '500']], name);
    }
  });

  test('that the service rejects is the status of its code', async () => {
    const error = new HeddleError({ code: 'unavailable', reason: 'NO_INSTANCES', message: 'none' });
    const hand = new ByHand(() => Promise.reject(error));
    await hand.begin(headers(1, get()));
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined);
    assert.deepEqual(hand.log.fields(head), [[':status', '503']]);
  });

  test('with no final status becomes a 500', async () => {
    for (const status of [0, 99, 100, 101, 199, 600, 1000, Number.NaN]) {
      const hand = new ByHand(async () => ({ ...ok, status }));
      await hand.begin(headers(1, get()));
      const [head] = hand.log.ofType(frameType.headers);
      assert.ok(head !== undefined);
      assert.deepEqual(hand.log.fields(head), [[':status', '500']], String(status));
    }
  });

  test('that breaks off is reset, so that it never looks whole', async () => {
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new HeddleError({ code: 'internal', reason: 'BROKE', message: 'broke' });
    };
    const hand = new ByHand(async () => ({ ...ok, body: streamBody(source()) }));
    await hand.begin(headers(1, get()));
    assert.equal(hand.log.resetOf(1), errorCode.internalError);
    assert.ok(hand.log.ofType(frameType.data).every(({ flags }) => (flags & flag.endStream) === 0));
    assert.equal(hand.ends[0]?.reason, 'BROKE');
  });

  test('before the end of its request tells the client to stop sending', async () => {
    const hand = new ByHand(async () => ok);
    await hand.begin(headers(1, get(), false), data(1, 'begin'));
    assert.equal(hand.log.resetOf(1), errorCode.noError);
    hand.feed(data(1, 'was on its way'), data(1, 'end', true));
    await hand.turn();
    assert.equal(hand.log.goaway, undefined, 'what was on its way is no fault');
    assert.deepEqual(hand.ends, [undefined]);
  });

  test('waits for the windows of its client, of the stream and of the connection', async () => {
    const content = Buffer.alloc(100_000, 'x');
    const hand = new ByHand(async () => ({ ...ok, body: wholeBody(content) }));
    const sent = (): number =>
      hand.log.ofType(frameType.data).reduce((sum, { payload }) => sum + payload.length, 0);
    await hand.begin(headers(1, get()));
    assert.equal(sent(), 65_535);
    hand.feed(frame(frameType.windowUpdate, 0, 1, uint32(50_000)));
    await hand.turn();
    assert.equal(sent(), 65_535, 'the connection has a window of its own');
    hand.feed(frame(frameType.windowUpdate, 0, 0, uint32(10_000)));
    await hand.turn();
    assert.equal(sent(), 75_535);
    hand.feed(frame(frameType.windowUpdate, 0, 0, uint32(1_000_000)));
    await hand.turn();
    assert.equal(sent(), 100_000);
    assert.deepEqual(hand.ends, [undefined]);
  });

  test('waits out a window that SETTINGS have made negative', async () => {
    const hand = new ByHand(async () => ({ ...ok, body: wholeBody(Buffer.alloc(70_000)) }));
    const sent = (): number =>
      hand.log.ofType(frameType.data).reduce((sum, { payload }) => sum + payload.length, 0);
    await hand.begin(frame(frameType.windowUpdate, 0, 0, uint32(1_000_000)), headers(1, get()));
    assert.equal(sent(), 65_535);
    hand.feed(settings([4, 0]), frame(frameType.windowUpdate, 0, 1, uint32(65_535)));
    await hand.turn();
    assert.equal(sent(), 65_535, 'the window is at zero again, not above');
    hand.feed(frame(frameType.windowUpdate, 0, 1, uint32(4465)));
    await hand.turn();
    assert.equal(sent(), 70_000);
  });

  test('waits for the socket', async () => {
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let chunk = 0; chunk < 1000; chunk++) {
        made++;
        yield Buffer.alloc(10_000);
      }
    };
    let made = 0;
    const hand = new ByHand(async () => ({ ...ok, body: streamBody(source()) }));
    await hand.begin(settings([4, 0x7fff_ffff]), frame(frameType.windowUpdate, 0, 0, uint32(0x7fff_0000)));
    hand.connection.capacity = 50_000;
    hand.feed(headers(1, get()));
    for (let turn = 0; turn < 20; turn++) await hand.turn();
    assert.ok(made <= 20, `${made} chunks were made for a socket that takes 5`);
    assert.ok(hand.connection.pendingBytes < 300_000);
    while (hand.ends.length === 0) {
      hand.connection.takeAll();
      await hand.turn();
    }
    assert.equal(made, 1000);
  });

  test('of many shares the connection: none waits for another to end', async () => {
    const content = Buffer.alloc(1_000_000);
    const hand = new ByHand(async () => ({ ...ok, body: wholeBody(content) }));
    await hand.begin(settings([4, 0x7fff_ffff]), headers(1, get()), headers(3, get()), headers(5, get()));
    hand.feed(frame(frameType.windowUpdate, 0, 0, uint32(900_000)));
    for (let turn = 0; turn < 30; turn++) await hand.turn();
    const of = (id: number): number =>
      hand.log
        .ofType(frameType.data)
        .reduce((sum, each) => sum + (each.streamId === id ? each.payload.length : 0), 0);
    for (const id of [1, 3, 5]) assert.ok(of(id) > 200_000, `stream ${id} got ${of(id)} bytes`);
  });
});

describe('odd and right', () => {
  test('OPTIONS * and a plain CONNECT', async () => {
    const { seen, service } = recorder();
    const hand = new ByHand(service);
    const options: [string, string][] = [
      [':method', 'OPTIONS'],
      [':scheme', 'http'],
      [':path', '*'],
      [':authority', 'a'],
    ];
    await hand.begin(
      headers(1, options),
      headers(
        3,
        [
          [':method', 'CONNECT'],
          [':authority', 'a:1'],
        ],
        false,
      ),
    );
    assert.deepEqual(
      seen.map(({ method, path, authority }) => [method, path, authority]),
      [
        ['OPTIONS', '*', 'a'],
        ['CONNECT', '', 'a:1'],
      ],
    );
  });

  test('an extended CONNECT carries a tunnel both ways, each half until its own end (RFC 8441)', async () => {
    const hand = new ByHand(async ({ body, protocol }) => {
      assert.equal(protocol, 'websocket');
      return { status: 101, fields: new Fields(), body };
    });
    const connect: [string, string][] = [
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      ...get('/chat').slice(1),
    ];
    await hand.begin(headers(1, connect, false));
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined);
    assert.deepEqual(hand.log.fields(head), [[':status', '200']]);
    for (const word of ['one', 'two']) {
      hand.feed(data(1, word));
      await hand.turn();
      assert.equal(hand.log.ofType(frameType.data).at(-1)?.payload.toString(), word);
    }
    hand.feed(data(1, '', true));
    await hand.turn();
    assert.equal((hand.log.ofType(frameType.data).at(-1)?.flags ?? 0) & flag.endStream, flag.endStream);
    assert.deepEqual(hand.ends, [undefined]);
    assert.equal(hand.log.resetOf(1), undefined);
  });

  test('it says that it takes extended CONNECT, at most 100 streams, 32 KiB of fields and 1 MiB of content', async () => {
    const hand = new ByHand();
    await hand.begin();
    const [first] = hand.log.frames;
    const pairs = new Map<number, number>();
    for (let at = 0; at < (first?.payload.length ?? 0); at += 6) {
      pairs.set(first?.payload.readUInt16BE(at) ?? 0, first?.payload.readUInt32BE(at + 2) ?? 0);
    }
    assert.deepEqual([pairs.get(3), pairs.get(6), pairs.get(8)], [100, 32_768, 1]);
    assert.equal(hand.log.ofType(frameType.windowUpdate)[0]?.payload.readUInt32BE(0), 1_048_576 - 65_535);
  });

  test('a header section too large is answered with 431, and reaches nobody', async () => {
    const { seen, service } = recorder();
    const hand = new ByHand(service);
    const crumbs = Array.from({ length: 201 }, (_, at): [string, string] => ['cookie', `c${at}=1`]);
    await hand.begin(headers(1, [...get(), ...crumbs]), headers(3, [...get(), ['x-a', 'y'.repeat(16_000)]]));
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined);
    assert.deepEqual(hand.log.fields(head), [[':status', '431']]);
    assert.equal(hand.server.abuse.largeHeaders, 1);
    assert.equal(seen.length, 1, 'the second is within the limits');
  });

  test('a PING is answered with its own bytes', async () => {
    const hand = new ByHand();
    await hand.begin(frame(frameType.ping, 0, 0, Buffer.from('deadbeef')));
    const [pong] = hand.log.ofType(frameType.ping);
    assert.deepEqual([pong?.flags, pong?.payload.toString()], [flag.ack, 'deadbeef']);
  });

  test('streams over the limit are refused as never looked at', async () => {
    const hand = new ByHand(waiting, { maxConcurrentStreams: 2 });
    await hand.begin(headers(1, get()), headers(3, get()), headers(5, get()));
    assert.equal(hand.log.resetOf(5), errorCode.refusedStream);
    assert.equal(hand.server.activeStreams, 2);
    assert.equal(hand.server.abuse.refusedStreams, 1);
  });

  test('what was read before it was known to be HTTP/2 counts, wherever it was cut', async () => {
    const all = Buffer.concat([hello, headers(1, get())]);
    for (const cut of [1, 10, 24, 30, all.length]) {
      const { seen, service } = recorder();
      const connection = new HandConnection();
      serveHttp2(connection, service, { runtime: handRuntime(), firstBytes: all.subarray(0, cut) });
      connection.feed(all.subarray(cut));
      await settled();
      assert.equal(seen.length, 1, `cut at ${cut}`);
    }
  });
});
