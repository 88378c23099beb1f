import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, HeddleError, settle } from '@heddle/kernel';
import { streamBody, wholeBody, wholeBytes } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { errorCode } from './error-code.ts';
import { flag, frameType } from './frame.ts';
import { ClientByHand, request, type Sent } from './testdata/client-by-hand.ts';
import { data, frame, headers, settings, uint32 } from './testdata/raw-frames.ts';

function errorOf(sent: Sent): HeddleError {
  assert.ok(sent.result !== undefined && !sent.result.ok, 'the request has failed');
  return sent.result.error;
}

async function textOf(sent: Sent): Promise<string> {
  assert.ok(sent.result?.ok === true, 'the request was answered');
  return Buffer.from(await sent.result.value.body.bytes(1_000_000)).toString();
}

const ok: [string, string][] = [[':status', '200']];

function goaway(lastStreamId: number, code: number): Buffer {
  return frame(frameType.goaway, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code)]));
}

describe('a request', () => {
  test('is written in one piece, and its answer ends the call', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send({ method: 'POST', path: '/a', body: wholeBody(Buffer.from('hello')) });
    const before = hand.connection.writes;
    await hand.turn();
    assert.equal(hand.connection.writes - before, 1);
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined);
    assert.deepEqual(hand.log.fields(head), [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', '/a'],
      [':authority', 'test'],
      ['content-length', '5'],
    ]);
    hand.feed(headers(1, [...ok, ['x-a', '1']], false), data(1, 'world', true));
    await hand.turn();
    assert.equal(await textOf(sent), 'world');
    assert.deepEqual(sent.outcome, { error: undefined });
    assert.ok(sent.result?.ok === true);
    assert.deepEqual([...sent.result.value.fields], [['x-a', '1']]);
    assert.notEqual(wholeBytes(sent.result.value.body), undefined, 'all there');
  });

  test('has its call run until the last byte of a streaming answer', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    hand.feed(headers(1, ok, false), data(1, 'one '));
    await hand.turn();
    assert.ok(sent.result?.ok === true);
    assert.equal(sent.outcome, undefined);
    hand.feed(data(1, 'two'), headers(1, [['grpc-status', '0']]));
    await hand.turn();
    assert.equal(await textOf(sent), 'one two');
    assert.equal(sent.result.value.body.trailers?.get('grpc-status'), '0');
    assert.deepEqual(sent.outcome, { error: undefined });
  });

  test('that is given up resets its stream with CANCEL', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    sent.call.cancel(new HeddleError({ code: 'cancelled', reason: 'ENOUGH', message: 'enough' }));
    await hand.turn();
    assert.equal(hand.log.resetOf(1), errorCode.cancel);
    assert.equal(errorOf(sent).reason, 'ENOUGH');
    assert.equal(hand.client.active, 0);
    hand.feed(headers(1, ok, false), data(1, 'too late', true));
    await hand.turn();
    assert.equal(hand.client.state, 'open', 'what was on its way is no fault');
  });

  test('that is given up makes no abuse of the small frames that were on their way', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    hand.feed(headers(1, ok, false));
    await hand.turn();
    sent.call.cancel(new HeddleError({ code: 'cancelled', reason: 'ENOUGH', message: 'enough' }));
    await hand.turn();
    for (let frames = 0; frames < 10_000; frames++) hand.feed(data(1, 'tiny'));
    await hand.turn();
    assert.equal(hand.client.state, 'open');
    assert.equal(hand.client.abuse.strays, 0);
    // More than the stream's window was never allowed to be on its way.
    for (let frames = 0; frames < 10_000; frames++) hand.feed(data(1, 'tiny'));
    await hand.turn();
    assert.notEqual(hand.client.state, 'open');
    assert.ok(hand.client.abuse.strays > 1000);
  });

  test('whose reader leaves resets its stream, and ends the call so', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    hand.feed(headers(1, ok, false), data(1, 'begin'));
    await hand.turn();
    assert.ok(sent.result?.ok === true);
    sent.result.value.body.cancel();
    await hand.turn();
    assert.equal(hand.log.resetOf(1), errorCode.cancel);
    assert.equal(sent.outcome?.error?.reason, 'READER_LEFT');
  });

  test('whose content breaks off is reset', async () => {
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new HeddleError({ code: 'data_loss', reason: 'BROKE', message: 'broke' });
    };
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send({ method: 'POST', body: streamBody(source()) });
    await hand.turn();
    assert.equal(hand.log.resetOf(1), errorCode.internalError);
    assert.equal(errorOf(sent).reason, 'BROKE');
  });

  test('that is answered early stops sending', async () => {
    let returned = false;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(10_000);
      } finally {
        returned = true;
      }
    };
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send({ method: 'POST', body: streamBody(source()) });
    await hand.turn();
    hand.feed(headers(1, [[':status', '413']], true));
    await hand.turn();
    assert.ok(sent.result?.ok === true);
    assert.equal(sent.result.value.status, 413);
    assert.equal(returned, true);
    assert.deepEqual(sent.outcome, { error: undefined });
  });

  test('with characters that cannot be sent is refused before anything is written', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    for (const change of [{ path: '/a\r\nb' }, { authority: 'a\0' }, { method: 'G\n' }]) {
      const sent = hand.send(change);
      await hand.turn();
      assert.deepEqual([errorOf(sent).code, errorOf(sent).sent], ['invalid_argument', false]);
    }
    const field = hand.send({ fields: Fields.of({ 'x-a': 'a\r\nb' }) });
    await hand.turn();
    assert.deepEqual([errorOf(field).reason, errorOf(field).sent], ['INVALID_FIELD', false]);
    assert.equal(hand.log.ofType(frameType.headers).length, 0);
  });

  test('over what the server takes in fields is refused, and the connection goes on', async () => {
    const hand = new ClientByHand();
    await hand.begin([6, 1000]);
    const large = hand.send({ fields: Fields.of({ 'x-a': 'y'.repeat(1000) }) });
    await hand.turn();
    assert.deepEqual([errorOf(large).reason, errorOf(large).sent], ['FIELDS_TOO_LARGE', false]);
    const small = hand.send();
    await hand.turn();
    hand.feed(headers(1, ok));
    await hand.turn();
    assert.ok(small.result?.ok === true);
  });

  test('with more fields than a frame holds goes out in several', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const value = 'z'.repeat(20_000);
    hand.send({ fields: Fields.of({ 'x-a': value, 'x-b': value }) });
    await hand.turn();
    const [head] = hand.log.ofType(frameType.headers);
    const rest = hand.log.ofType(frameType.continuation);
    assert.ok(head !== undefined && rest.length >= 1);
    assert.equal(head.flags & flag.endHeaders, 0);
    assert.deepEqual(
      rest.map(({ flags }) => flags & flag.endHeaders),
      [...rest.slice(1).map(() => 0), flag.endHeaders],
    );
    const whole = { ...head, payload: Buffer.concat([head, ...rest].map(({ payload }) => payload)) };
    assert.equal(hand.log.fields(whole).at(-1)?.[1], value);
  });
});

describe('whether a request that failed was sent', () => {
  test('no: it was refused as never looked at', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    hand.feed(frame(frameType.rstStream, 0, 1, uint32(errorCode.refusedStream)));
    await hand.turn();
    assert.deepEqual([errorOf(sent).code, errorOf(sent).sent], ['unavailable', false]);
  });

  test('no: GOAWAY does not count it in; yes for those before, which go on', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const first = hand.send();
    const second = hand.send();
    await hand.turn();
    hand.feed(goaway(1, errorCode.noError));
    await hand.turn();
    assert.deepEqual([errorOf(second).code, errorOf(second).sent], ['unavailable', false]);
    assert.equal(hand.client.state, 'draining');
    assert.equal(hand.client.available, 0);
    hand.feed(headers(1, ok));
    await hand.turn();
    assert.ok(first.result?.ok === true);
    assert.equal(hand.connection.ended, true, 'closed after the last one');
  });

  test('perhaps: the connection was lost after it was written', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    hand.connection.close(new Error('ECONNRESET'));
    await hand.turn();
    assert.deepEqual(
      [errorOf(sent).code, errorOf(sent).reason, errorOf(sent).sent],
      ['unavailable', 'CONNECTION_LOST', true],
    );
  });

  test('no: the connection was lost before it was written', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    hand.connection.close(new Error('ECONNRESET'));
    await hand.turn();
    assert.deepEqual([errorOf(sent).code, errorOf(sent).sent], ['unavailable', false]);
    assert.deepEqual(sent.outcome?.error?.sent, false);
  });

  test('no: there is no stream for it', async () => {
    const hand = new ClientByHand();
    await hand.begin([3, 1]);
    assert.equal(hand.client.available, 1);
    const first = hand.send();
    await hand.turn();
    assert.equal(hand.client.available, 0);
    const second = hand.send();
    await hand.turn();
    assert.deepEqual([errorOf(second).reason, errorOf(second).sent], ['NO_STREAM_AVAILABLE', false]);
    assert.equal(first.result, undefined);
  });

  const codes: readonly (readonly [reset: number, code: string])[] = [
    [errorCode.noError, 'internal'],
    [errorCode.protocolError, 'internal'],
    [errorCode.cancel, 'cancelled'],
    [errorCode.enhanceYourCalm, 'resource_exhausted'],
    [errorCode.inadequateSecurity, 'permission_denied'],
    [0xdead, 'internal'],
  ];
  for (const [reset, code] of codes) {
    test(`a reset with ${reset} is ${code}, sent`, async () => {
      const hand = new ClientByHand();
      await hand.begin();
      const sent = hand.send();
      await hand.turn();
      hand.feed(frame(frameType.rstStream, 0, 1, uint32(reset)));
      await hand.turn();
      assert.deepEqual([errorOf(sent).code, errorOf(sent).sent], [code, true]);
    });
  }

  for (const [afterMs, code] of [
    [9, 'cancelled'],
    [10, 'deadline_exceeded'],
  ] as const) {
    test(`a reset with CANCEL ${afterMs} ms into a deadline of 10 ms is ${code}`, async () => {
      const hand = new ClientByHand();
      await hand.begin();
      const call = Call.root(hand.runtime, hand.runtime.clock.nowMs() + 10);
      const answered = settle(hand.client.request, request(), call);
      await hand.turn();
      await hand.runtime.time.advance(afterMs);
      hand.feed(frame(frameType.rstStream, 0, 1, uint32(errorCode.cancel)));
      const result = await answered;
      assert.equal(result.ok ? 'answered' : result.error.code, code);
    });
  }

  test('a reset within the answer breaks off its body', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    hand.feed(headers(1, ok, false), data(1, 'half'));
    await hand.turn();
    hand.feed(frame(frameType.rstStream, 0, 1, uint32(errorCode.internalError)));
    await assert.rejects(textOf(sent), { reason: 'STREAM_RESET' });
    assert.equal(sent.outcome?.error?.reason, 'STREAM_RESET');
  });
});

describe('an answer', () => {
  test('may have informational ones before it', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    hand.feed(
      headers(1, [[':status', '100']], false),
      headers(
        1,
        [
          [':status', '103'],
          ['link', '</a>'],
        ],
        false,
      ),
    );
    hand.feed(headers(1, ok));
    await hand.turn();
    assert.ok(sent.result?.ok === true);
    assert.equal(sent.result.value.status, 200);
  });

  test('to HEAD says how long it would be, and has no content', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send({ method: 'HEAD' });
    await hand.turn();
    hand.feed(headers(1, [...ok, ['content-length', '1000']]));
    await hand.turn();
    assert.equal(await textOf(sent), '');
    assert.ok(sent.result?.ok === true);
    assert.equal(sent.result.value.fields.get('content-length'), '1000');
  });

  test('with a status beyond 599 is an error of the server', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send({});
    await hand.turn();
    hand.feed(headers(1, [[':status', '642']], true));
    await hand.turn();
    assert.equal(sent.result?.ok === true && sent.result.value.status, 500);
  });

  const malformed: readonly (readonly [why: string, frames: readonly Buffer[]])[] = [
    ['no status', [headers(1, [['x-a', '1']])]],
    ['a status of two digits', [headers(1, [[':status', '99']])]],
    ['a status of 1000', [headers(1, [[':status', '1000']])]],
    ['two statuses', [headers(1, [...ok, ...ok])]],
    ['a request pseudo-field', [headers(1, [...ok, [':path', '/']])]],
    ['101', [headers(1, [[':status', '101']], false)]],
    ['an informational end', [headers(1, [[':status', '103']], true)]],
    ['a connection-specific field', [headers(1, [...ok, ['connection', 'close']])]],
    ['CR LF in a value', [headers(1, [...ok, ['x-a', 'a\r\nb']])]],
    [
      'less content than announced',
      [headers(1, [...ok, ['content-length', '5']], false), data(1, 'abc', true)],
    ],
    [
      'more content than announced',
      [headers(1, [...ok, ['content-length', '2']], false), data(1, 'abc', true)],
    ],
    ['content before the head', [data(1, 'abc', true)]],
    ['a pseudo-field in trailers', [headers(1, ok, false), headers(1, ok)]],
    ['trailers that do not end it', [headers(1, ok, false), headers(1, [['x-a', '1']], false)]],
    [
      'a flood of informational ones',
      Array.from({ length: 17 }, () => headers(1, [[':status', '103']], false)),
    ],
  ];
  for (const [why, frames] of malformed) {
    test(`that is malformed fails the request and nothing else: ${why}`, async () => {
      const hand = new ClientByHand();
      await hand.begin();
      const sent = hand.send();
      await hand.turn();
      hand.feed(...frames);
      await hand.turn();
      assert.equal(errorOf(sent).reason, 'PROTOCOL_ERROR');
      assert.notEqual(hand.log.resetOf(1), undefined);
      assert.equal(hand.client.state, 'open');
    });
  }
});

describe('the connection', () => {
  test('tells of changes, and of how many streams there are', async () => {
    const hand = new ClientByHand();
    const seen: string[] = [];
    hand.client.onStateChange = () => seen.push(`${hand.client.state} ${hand.client.active}`);
    await hand.begin([3, 7]);
    assert.equal(hand.client.maxConcurrent, 7);
    hand.send();
    await hand.turn();
    hand.feed(headers(1, ok));
    await hand.turn();
    hand.connection.close();
    assert.deepEqual(seen, ['open 0', 'open 1', 'open 0', 'closed 0']);
  });

  test('closes in good order', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const sent = hand.send();
    await hand.turn();
    const closed = hand.client.close();
    await hand.turn();
    assert.equal(hand.client.state, 'draining');
    assert.equal(hand.log.goaway, errorCode.noError);
    hand.feed(headers(1, ok));
    await hand.turn();
    assert.ok(sent.result?.ok === true);
    assert.equal(hand.connection.ended, true);
    hand.connection.close();
    await closed;
  });

  test('measures a round trip', async () => {
    const hand = new ClientByHand();
    await hand.begin();
    const ping = hand.client.ping();
    await hand.turn();
    await hand.runtime.time.advance(12);
    const [sent] = hand.log.ofType(frameType.ping);
    assert.ok(sent !== undefined);
    hand.feed(frame(frameType.ping, flag.ack, 0, sent.payload));
    assert.equal(await ping, 12);
    const lost = hand.client.ping();
    hand.connection.close();
    await assert.rejects(lost, { reason: 'CONNECTION_LOST' });
  });

  test('waits for the word before it sends an extended CONNECT', async () => {
    const hand = new ClientByHand();
    const sent = hand.send({ method: 'CONNECT', protocol: 'websocket', path: '/chat' });
    await hand.turn();
    assert.equal(hand.log.ofType(frameType.headers).length, 0);
    await hand.begin([8, 1]);
    await hand.turn();
    const [head] = hand.log.ofType(frameType.headers);
    assert.ok(head !== undefined);
    assert.deepEqual(hand.log.fields(head).slice(0, 2), [
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
    ]);
    assert.equal(sent.result, undefined);
    const other = new ClientByHand();
    const refused = other.send({ method: 'CONNECT', protocol: 'websocket', path: '/chat' });
    await other.begin();
    await other.turn();
    assert.deepEqual([errorOf(refused).reason, errorOf(refused).sent], ['NO_EXTENDED_CONNECT', false]);
  });

  const broken: readonly (readonly [why: string, code: number, frames: readonly Buffer[]])[] = [
    ['PUSH_PROMISE', errorCode.protocolError, [frame(frameType.pushPromise, 4, 1, Buffer.alloc(8))]],
    ['a stream of the server', errorCode.protocolError, [headers(2, ok)]],
    ['a stream that was never opened', errorCode.protocolError, [headers(99, ok)]],
    ['an answer after the answer', errorCode.streamClosed, [headers(1, ok), headers(1, ok)]],
    ['an initial window that overflows', errorCode.flowControlError, [settings([4, 0xffff_ffff])]],
  ];
  for (const [why, code, frames] of broken) {
    test(`ends when the server breaks the protocol: ${why}`, async () => {
      const hand = new ClientByHand();
      await hand.begin();
      const sent = hand.send();
      await hand.turn();
      hand.feed(...frames);
      await hand.turn();
      assert.equal(hand.log.goaway, code);
      assert.notEqual(hand.client.state, 'open');
      assert.ok(sent.result !== undefined);
    });
  }
});
