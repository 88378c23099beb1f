import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../ports/net.ts';
import { ConnectionRecorder } from '../../testing/connection-recorder.ts';
import { SimulatedProcess } from '../process.ts';
import { seededRandom } from '../seeded-random.ts';
import { VirtualTime } from '../virtual-time.ts';
import { type NetEvent, SimulatedNet } from './simulated-net.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const address = { host: 'b', port: 80 };

/** Host `a` connected to host `b`, which answers nothing by itself. */
async function connected(seed = 1): Promise<{
  time: VirtualTime;
  network: SimulatedNet;
  a: SimulatedProcess;
  b: SimulatedProcess;
  near: ConnectionRecorder;
  far: ConnectionRecorder;
  events: NetEvent[];
}> {
  const time = new VirtualTime();
  const events: NetEvent[] = [];
  const network = new SimulatedNet({
    time,
    random: seededRandom(seed),
    observe: (event) => events.push(event),
  });
  const [a, b] = [new SimulatedProcess(time), new SimulatedProcess(time)];
  const netA = network.attach('a', a);
  const netB = network.attach('b', b);
  let far: ConnectionRecorder | undefined;
  await time.run(
    netB.listen(address, (connection) => {
      far = new ConnectionRecorder(connection);
    }),
  );
  const near = new ConnectionRecorder(await time.run(netA.connect(address)));
  await time.advance(50);
  assert.ok(far !== undefined);
  return { time, network, a, b, near, far, events };
}

function cut(network: SimulatedNet, blocked: boolean): void {
  network.setLink('a', 'b', { blocked });
  network.setLink('b', 'a', { blocked });
}

test('a short cut delays what was sent; a long one breaks the connection at the writer, within 20 s', async () => {
  const { time, network, near, far } = await connected();
  cut(network, true);
  near.write(text('late'));
  await time.advance(1000);
  assert.equal(far.bytes, 0);
  cut(network, false);
  await time.advance(1500);
  assert.equal(far.bytes, 4);
  cut(network, true);
  near.write(text('never'));
  await time.advance(10_000);
  assert.deepEqual(near.events, []);
  await time.advance(11_000);
  assert.match(String(await near.closed), /ETIMEDOUT/);
  assert.equal(far.bytes, 4);
  // The other end has heard nothing: half open, until it writes.
  assert.deepEqual(far.events, ['data']);
  cut(network, false);
  await time.advance(60_000);
  assert.deepEqual(far.events, ['data']);
  far.write(text('hello?'));
  await time.advance(100);
  assert.match(String(await far.closed), /ECONNRESET/);
});

test('nothing is noticed on an idle connection, however long the cut', async () => {
  const { time, network, near, far } = await connected();
  cut(network, true);
  await time.advance(3_600_000);
  cut(network, false);
  near.write(text('still there'));
  await time.advance(100);
  assert.equal(far.bytes, 11);
  assert.deepEqual(near.events, []);
});

test('a cut one way: bytes arrive, the writer cannot know and gives up', async () => {
  const { time, network, near, far } = await connected();
  network.setLink('b', 'a', { blocked: true });
  near.write(text('one way'));
  await time.advance(100);
  assert.equal(far.bytes, 7);
  await time.advance(25_000);
  assert.match(String(await near.closed), /ETIMEDOUT/);
});

test('loss is delay: all comes, in order, later', async () => {
  const { time, network, near, far } = await connected();
  network.setLink('a', 'b', { loss: 0.3 });
  const sent = seededRandom(5).bytes(300_000);
  for (let at = 0; at < sent.length; at += 5000) near.write(sent.slice(at, at + 5000));
  await time.advance(120_000);
  assert.ok(Buffer.from(sent).equals(far.content), `${far.bytes} bytes`);
});

test('a killed process: the peer sees an end or a reset, and its port refuses', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 10; seed++) {
    const { time, network, b, near } = await connected(seed);
    b.end('killed');
    await time.advance(100);
    seen.add(near.events.join(' '));
    const net = network.attach('a', new SimulatedProcess(time));
    await assert.rejects(time.run(net.connect(address)), { reason: 'CONNECTION_REFUSED' });
  }
  assert.deepEqual([...seen].toSorted(), ['close', 'end']);
});

test('a machine without power says nothing; back again, it resets what it does not know', async () => {
  const { time, network, b, near } = await connected();
  b.end('power');
  await time.advance(60_000);
  assert.deepEqual(near.events, []);
  const net = network.attach('c', new SimulatedProcess(time));
  await assert.rejects(time.run(net.connect(address, { timeoutMs: 700 })), { reason: 'CONNECT_TIMEOUT' });
  near.write(text('anybody?'));
  await time.advance(1000);
  assert.deepEqual(near.events, []);
  network.attach('b', new SimulatedProcess(time));
  await time.advance(2000);
  assert.match(String(await near.closed), /ECONNRESET/);
});

test('a paused process still takes connections and bytes, up to a window, and handles them when it wakes', async () => {
  const { time, network, b, near, far } = await connected();
  b.pause();
  const net = network.attach('c', new SimulatedProcess(time));
  await time.run(net.connect(address));
  let written = 0;
  while (near.write(new Uint8Array(10_000))) written += 10_000;
  await time.advance(10_000);
  assert.equal(far.bytes, 0);
  assert.ok(near.connection.pendingBytes > 0);
  b.resume();
  await time.advance(1000);
  assert.equal(far.bytes, written + 10_000);
  assert.ok(near.events.includes('drain'));
});

test('a writer that waits for a dead reader notices in the end', async () => {
  const { time, b, near } = await connected();
  b.pause();
  while (near.write(new Uint8Array(10_000)));
  await time.advance(1000);
  b.end('power');
  await time.advance(40_000);
  assert.match(String(await near.closed), /ETIMEDOUT/);
});

test('bandwidth is shared by what goes one way', async () => {
  const { time, network, near, far } = await connected();
  network.setLink('a', 'b', { bytesPerMs: 10 });
  const start = time.clock.nowMs();
  near.write(new Uint8Array(50_000));
  await time.runUntil(() => far.bytes === 50_000);
  const tookMs = time.clock.nowMs() - start;
  assert.ok(tookMs >= 5000 && tookMs < 5100, `${tookMs} ms`);
});

test('a listener on the loopback address is not reached from elsewhere', async () => {
  const time = new VirtualTime();
  const network = new SimulatedNet({ time, random: seededRandom(1) });
  const [a, b] = ['a', 'b'].map((host) => network.attach(host, new SimulatedProcess(time)));
  assert.ok(a !== undefined && b !== undefined);
  await time.run(
    b.listen({ host: '127.0.0.1', port: 80 }, (connection) => new ConnectionRecorder(connection)),
  );
  await assert.rejects(time.run(a.connect(address)), { reason: 'CONNECTION_REFUSED' });
  await time.run(b.connect({ host: 'localhost', port: 80 }));
  await assert.rejects(time.run(a.connect({ host: 'nowhere', port: 80 })), { reason: 'CONNECT_FAILED' });
});

test('the chunks of one message differ by seed: whole, joined with its neighbour, split, byte by byte', async () => {
  const shapes = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const time = new VirtualTime();
    const network = new SimulatedNet({ time, random: seededRandom(seed) });
    const a = network.attach('a', new SimulatedProcess(time));
    const b = network.attach('b', new SimulatedProcess(time));
    const sizes: number[] = [];
    const handler = {
      data: (chunk: Uint8Array) => sizes.push(chunk.byteLength),
      end: () => {},
      drain: () => {},
      close: () => {},
    };
    await time.run(b.listen(address, (connection: Connection) => connection.open(handler)));
    const connection = await time.run(a.connect(address));
    connection.open(handler);
    connection.write(text('head'));
    connection.write(text('body'));
    await time.advance(100);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      8,
    );
    shapes.add(sizes.join(' '));
  }
  assert.ok(shapes.has('8'), 'joined');
  assert.ok(shapes.has('1 1 1 1 1 1 1 1'), 'byte by byte');
  assert.ok(shapes.size > 8, `${shapes.size} shapes`);
});

test('the same seed gives the same events', async () => {
  const run = async (seed: number): Promise<string[]> => {
    const { time, near, far, events } = await connected(seed);
    for (let round = 0; round < 20; round++) {
      near.write(text('some words'));
      far.write(text('some other words'));
      await time.advance(7);
    }
    return events.map(({ what, host, bytes }) => `${what} ${host} ${bytes?.byteLength}`);
  };
  assert.deepEqual(await run(3), await run(3));
  assert.notDeepEqual(await run(3), await run(4));
});
