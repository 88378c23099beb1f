import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '../error.ts';
import type { Address, Connection, Listener, Net } from '../ports/net.ts';
import type { Timers } from '../ports/timers.ts';
import { seededRandom } from '../simulated/seeded-random.ts';
import { sleep } from '../sleep.ts';
import { ConnectionRecorder } from './connection-recorder.ts';
import type { RunWork } from './subject.ts';

/** What `netContract` runs on: two places on one network, which may be the same. */
export interface NetSubject {
  readonly server: Net;
  /** Where `server` listens, as `client` calls it. */
  readonly host: string;
  readonly client: Net;
  readonly timers: Timers;
  readonly run: RunWork;
  /** An address where packets vanish, if one can be had. */
  readonly silent?: Address;
  /** An end is answered (close_notify, RFC 8446 section 6.1), so one that is destroyed may answer that by a reset. */
  readonly answersEnds?: boolean;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const block = new Uint8Array(64 * 1024).fill(7);
const mostBytes = 256 * 1024 * 1024;

/** A listener, and a connection to it seen from both ends. */
interface Pair {
  readonly listener: Listener;
  readonly near: ConnectionRecorder;
  readonly far: ConnectionRecorder;
}

/** What sockets must do. `make` is asked once for each test. */
export function netContract(name: string, make: () => NetSubject): void {
  const check: Check = (what, body) => {
    test(what, { timeout: 20_000 }, async (context) => {
      const made = make();
      const { server, listeners } = remembering(made.server);
      const subject = { ...made, server };
      await made.run(async () => {
        await body(subject, (why) => context.skip(why));
        for (const listener of listeners) await listener.close();
      });
    });
  };
  describe(`net: ${name}`, () => {
    addresses(check);
    streams(check);
    endings(check);
    backPressure(check);
  });
}

type Check = (
  what: string,
  body: (subject: NetSubject, skip: (why: string) => void) => Promise<void>,
) => void;

function addresses(check: Check): void {
  check('both ends name the same two addresses', async (subject) => {
    const { listener, near, far } = await pair(subject);
    assert.ok(listener.address.port > 0 && listener.address.port < 65_536);
    assert.equal(near.connection.remote.port, listener.address.port);
    assert.equal(far.connection.local.port, listener.address.port);
    assert.equal(near.connection.local.port, far.connection.remote.port);
    assert.equal(near.connection.local.host, far.connection.remote.host);
    await finish({ listener, near, far });
  });

  check('where nobody listens, a connection is refused', async (subject) => {
    const listener = await subject.server.listen({ host: subject.host, port: 0 }, () => {});
    await listener.close();
    await rejects(subject.client.connect(listener.address), 'unavailable', 'CONNECTION_REFUSED');
  });

  check('where packets vanish, connecting times out', async (subject, skip) => {
    if (subject.silent === undefined) return skip('no such address here');
    const connecting = subject.client.connect(subject.silent, { timeoutMs: 150 });
    await rejects(connecting, 'unavailable', 'CONNECT_TIMEOUT');
  });

  check('a port is had by one at a time, and is free once its listener has closed', async (subject) => {
    const { server, host } = subject;
    const first = await server.listen({ host, port: 0 }, () => {});
    await rejects(
      server.listen(first.address, () => {}),
      'failed_precondition',
      'ADDRESS_IN_USE',
    );
    await first.close();
    await first.close();
    const second = await server.listen(first.address, () => {});
    assert.deepEqual(second.address, first.address);
    await second.close();
  });

  check('an address of somebody else cannot be listened on', async ({ server }) => {
    const listening = server.listen({ host: '203.0.113.7', port: 0 }, () => {});
    await rejects(listening, 'failed_precondition', 'ADDRESS_NOT_AVAILABLE');
  });

  check('a port that is none is refused as an argument', async ({ server, client, host }) => {
    await rejects(client.connect({ host, port: 70_000 }), 'invalid_argument', 'INVALID_PORT');
    await rejects(
      server.listen({ host, port: -1 }, () => {}),
      'invalid_argument',
      'INVALID_PORT',
    );
  });

  check('connections go on when their listener closes', async (subject) => {
    const opened = await pair(subject, { echo: true });
    await opened.listener.close();
    await rejects(subject.client.connect(opened.listener.address), 'unavailable', 'CONNECTION_REFUSED');
    opened.near.write(text('still here'));
    await opened.near.until(() => opened.near.bytes === 10);
    await finish(opened);
  });
}

function streams(check: Check): void {
  check('all bytes come, in order, in both directions at once', async (subject) => {
    const { near, far } = await pair(subject, { echo: true });
    const random = seededRandom(17);
    const sent: Uint8Array[] = [];
    for (const size of [1, 2, 0, 1000, 65_536, 3, 200_000, 1, 1, 99_999]) {
      const chunk = random.bytes(size);
      sent.push(chunk);
      near.write(chunk);
    }
    near.act(() => near.connection.end());
    assert.equal(await near.closed, undefined);
    assert.equal(await far.closed, undefined);
    assert.ok(Buffer.concat(sent).equals(near.content), `${near.bytes} bytes came back`);
    assert.deepEqual(
      near.events.filter((event) => event !== 'drain'),
      ['data', 'end', 'close'],
    );
  });

  check('chunks that are written together come in order, beside those written alone', async (subject) => {
    const { near, far } = await pair(subject, { echo: true });
    const random = seededRandom(18);
    const sent: Uint8Array[] = [];
    for (const sizes of [[5], [100, 16_384], [], [0, 1, 70_000, 2], [30_000, 30_000, 30_000]]) {
      const chunks = sizes.map((size) => random.bytes(size));
      sent.push(...chunks, text('between'));
      near.act(() => near.connection.writeAll(chunks));
      near.write(text('between'));
    }
    near.act(() => near.connection.end());
    assert.equal(await near.closed, undefined);
    assert.equal(await far.closed, undefined);
    assert.ok(Buffer.concat(sent).equals(near.content), `${near.bytes} bytes came back`);
    assert.equal(near.connection.writeAll([text('late'), text('later')]), false);
  });

  check('bytes that came before anybody read are not lost', async (subject) => {
    const { listener, near, far } = await pair(subject, {}, (connection) =>
      connection.write(text('greeting')),
    );
    await near.until(() => near.bytes === 8);
    assert.equal(plain(near.content), 'greeting');
    await finish({ listener, near, far });
  });

  check('after one end has finished, the other may go on', async (subject) => {
    const { near, far } = await pair(subject);
    near.write(text('question'));
    near.act(() => near.connection.end());
    await far.ended;
    assert.equal(plain(far.content), 'question');
    assert.deepEqual(far.events, ['data', 'end']);
    far.write(text('answer'));
    far.act(() => far.connection.end());
    assert.equal(await near.closed, undefined);
    assert.equal(await far.closed, undefined);
    assert.equal(plain(near.content), 'answer');
    assert.deepEqual(near.events, ['data', 'end', 'close']);
    assert.deepEqual(far.events, ['data', 'end', 'close']);
  });

  check('nothing can be written after the end or after the close', async (subject) => {
    const { near, far } = await pair(subject, { echo: true });
    near.act(() => near.connection.end());
    assert.equal(near.write(text('late')), false);
    await near.closed;
    assert.equal(near.write(text('later')), false);
    near.act(() => near.connection.end());
    near.act(() => near.connection.destroy());
    await far.closed;
    assert.equal(far.bytes, 0);
    assert.equal(near.connection.pendingBytes, 0);
  });
}

function endings(check: Check): void {
  check('destroy closes without an error, later, and the peer sees its end', async (subject) => {
    const { near, far } = await pair(subject);
    near.write(text('last words'));
    await far.until(() => far.bytes === 10);
    near.act(() => near.connection.destroy());
    near.act(() => near.connection.destroy());
    assert.equal(await near.closed, undefined);
    await far.ended;
    far.act(() => far.connection.destroy());
    const error = await far.closed;
    if (subject.answersEnds !== true) assert.equal(error, undefined);
    assert.equal(near.events.at(-1), 'close');
  });

  check('a peer that goes on writing to one that has gone is told so by an error', async (subject) => {
    const { near, far } = await pair(subject);
    far.act(() => far.connection.destroy());
    await near.ended;
    // The first is answered by a reset; a system may keep that to itself until the second.
    while (!near.events.includes('close')) {
      near.write(text('anybody there?'));
      await sleep(subject.timers, 5);
    }
    assert.ok((await near.closed) instanceof Error);
    assert.equal(near.write(text('hello?')), false);
  });

  check('destroying with bytes unread ends the connection for the peer', async (subject) => {
    const { near, far } = await pair(subject, {}, (connection) => connection.pause());
    near.write(text('never read'));
    await sleep(subject.timers, 20);
    far.act(() => far.connection.destroy());
    assert.equal(await far.closed, undefined);
    assert.equal(far.bytes, 0);
    // By a reset, or by its end where the system had read ahead. A reset can be lost; then writing brings another.
    while (near.events.length === 0) {
      near.write(text('hello?'));
      await sleep(subject.timers, 5);
    }
    near.act(() => near.connection.destroy());
    await near.closed;
  });
}

function backPressure(check: Check): void {
  check('what the system has taken may be overwritten', async (subject) => {
    const { listener, near, far } = await pair(subject);
    const chunk = new Uint8Array(5000);
    for (let round = 1; round <= 20; round++) {
      chunk.fill(round);
      near.write(chunk);
      while (near.connection.pendingBytes > 0) await sleep(subject.timers, 1);
      chunk.fill(0xff);
    }
    await far.until(() => far.bytes === 100_000);
    assert.ok(far.content.every((byte, at) => byte === Math.floor(at / 5000) + 1));
    await finish({ listener, near, far });
  });

  check('a paused reader gets nothing until it resumes', async (subject) => {
    const { listener, near, far } = await pair(subject, {}, (connection) => connection.pause());
    near.write(text('wait'));
    const third = await pair(subject);
    assert.equal(far.bytes, 0);
    far.connection.resume();
    await far.until(() => far.bytes === 4);
    await finish({ listener, near, far });
    await finish(third);
  });

  check('a reader that does not read stops the writer, and drain lets it go on', async (subject) => {
    const { listener, near, far } = await pair(subject, {}, (connection) => connection.pause());
    const written = fill(near);
    assert.ok(near.connection.pendingBytes > 0);
    assert.equal(near.events.includes('drain'), false);
    far.connection.resume();
    await near.until(() => near.events.includes('drain'));
    assert.equal(near.connection.pendingBytes, 0);
    await far.until(() => far.bytes === written);
    near.write(text('more'));
    await far.until(() => far.bytes === written + 4);
    await finish({ listener, near, far });
  });

  check('what is queued comes before the end', async (subject) => {
    const { near, far } = await pair(subject, {}, (connection) => connection.pause());
    const written = fill(near);
    near.act(() => near.connection.end());
    far.connection.resume();
    await far.ended;
    assert.equal(far.bytes, written);
    far.act(() => far.connection.end());
    assert.equal(await near.closed, undefined);
  });

  check('destroying with bytes queued drops them', async (subject) => {
    const { near, far } = await pair(subject, {}, (connection) => connection.pause());
    let written = fill(near);
    // More than the two systems together will take.
    for (; written < 64 * 1024 * 1024; written += block.byteLength) near.write(block);
    near.act(() => near.connection.destroy());
    assert.equal(await near.closed, undefined);
    far.connection.resume();
    await far.ended;
    assert.ok(far.bytes < written, `${far.bytes} of ${written} bytes came`);
    far.act(() => far.connection.destroy());
    await far.closed;
  });
}

/** Writes until told to wait. Gives how much. */
function fill(recorder: ConnectionRecorder): number {
  let written = 0;
  for (;;) {
    const more = recorder.write(block);
    written += block.byteLength;
    if (!more) return written;
    assert.ok(written < mostBytes, 'nobody says stop');
  }
}

/** So that a test need not close what it has opened. */
function remembering(net: Net): { server: Net; listeners: Listener[] } {
  const listeners: Listener[] = [];
  const listen: Net['listen'] = async (address, accept) => {
    const listener = await net.listen(address, accept);
    listeners.push(listener);
    return listener;
  };
  return { server: { connect: (address, options) => net.connect(address, options), listen }, listeners };
}

async function pair(
  { server, client, host }: NetSubject,
  options: { readonly echo?: boolean } = {},
  accepted: (connection: Connection) => void = () => {},
): Promise<Pair> {
  const far = Promise.withResolvers<ConnectionRecorder>();
  let first = true;
  const listener = await server.listen({ host, port: 0 }, (connection) => {
    const recorder = new ConnectionRecorder(connection, options);
    if (first) accepted(connection);
    if (first) far.resolve(recorder);
    first = false;
  });
  const near = new ConnectionRecorder(await client.connect(listener.address));
  return { listener, near, far: await far.promise };
}

async function finish({ near, far }: Pair): Promise<void> {
  near.connection.destroy();
  await near.closed;
  await far.ended;
  far.connection.destroy();
  await far.closed;
}

async function rejects(work: Promise<unknown>, code: HeddleError['code'], reason: string): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof HeddleError, String(error));
    assert.ok(error.is(code, reason), `${error.code} ${error.reason}: ${error.message}`);
    assert.equal(error.sent, false);
    return true;
  });
}
