import { ConnectionFault } from '../../packages/wire/src/http2/error-code.ts';
import { clientPreface, flag, frameType } from '../../packages/wire/src/http2/frame.ts';
import { FrameReader } from '../../packages/wire/src/http2/frame-reader.ts';
import { serveHttp2 } from '../../packages/wire/src/http2/server-connection.ts';
import { floods } from '../../packages/wire/src/http2/testdata/floods.ts';
import {
  data,
  FrameLog,
  frame,
  get,
  headers,
  settings,
  uint32,
} from '../../packages/wire/src/http2/testdata/raw-frames.ts';
import { Hand, type Served } from '../hand.ts';
import { difference, type Meaning } from '../meaning.ts';
import { chunksOf, planOf, withPlan } from '../plan.ts';
import { nodeReadsStreams } from '../reference/node-http2.ts';
import { readOutput } from '../strict/http2-frames.ts';
import { expect, type Target } from '../target.ts';
import { Blocks, exchange, frameDictionary, framesOf, requestFields, wildFrame } from './http2-parts.ts';

const honest = [
  settings(),
  headers(1, get()),
  headers(3, [...get(), ['content-length', '5']], false),
  data(3, 'hello', true),
];
const tunnel: [string, string][] = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
];

/** Frames from a client, after its preface: our server, and node:http2 beside it. */
export const http2Requests: Target = {
  name: 'h2',
  seeds: [
    withPlan(0, Buffer.concat(honest)),
    withPlan(0x86, Buffer.concat([...honest, frame(frameType.goaway, 0, 0, Buffer.alloc(8))])),
    withPlan(
      0,
      Buffer.concat([settings(), headers(1, get(), false), data(1, 'a'), headers(1, [['x', 'y']])]),
    ),
    withPlan(0, Buffer.concat([settings([4, 0]), headers(1, get(), false), data(1, 'abc', true)])),
    withPlan(3, Buffer.concat([settings(), headers(1, tunnel, false), data(1, 'abc', true)])),
    withPlan(0, Buffer.concat([settings(), headers(1, get(), false), frame(8, 0, 1, uint32(0x7fff_ffff))])),
    ...floods.map(({ first = [], turn }) =>
      withPlan(
        0x80,
        Buffer.concat([settings(), frame(frameType.settings, flag.ack, 0), ...first, ...turn(0), ...turn(1)]),
      ),
    ),
  ],
  dictionary: frameDictionary,
  generate: (chance) => {
    chance.calm = chance.pick([1, 5, 30]);
    const blocks = new Blocks(chance);
    const first = chance.rarely(10)
      ? []
      : [settings(), ...chance.some(1, () => frame(frameType.settings, flag.ack, 0))];
    const wild = chance.some(8, () => wildFrame(chance, blocks, requestFields));
    const exchanges = chance
      .some(5, () => 0)
      .flatMap((_, at) => exchange(chance, blocks, 2 * at + 1, requestFields));
    const frames = chance.calm === 1 && chance.oneIn(2) ? inOrder(wild) : exchanges;
    return withPlan(chance.below(256), Buffer.concat([...first, ...frames]));
  },
  pieces: framesOf,
  run,
};

/** Gives HEADERS frames, and what belongs to their blocks, ascending stream identifiers, mostly. */
function inOrder(frames: readonly Buffer[]): Buffer[] {
  let next = 1;
  return frames.map((each) => {
    const id = each.readUInt32BE(5);
    if (each[3] !== frameType.headers || id === 0 || id > 100 || each.length % 4 === 0) return each;
    const moved = framesOf(each).map((piece) => {
      const copy = Buffer.from(piece);
      if (copy.length >= 9) copy.writeUInt32BE(next, 5);
      return copy;
    });
    next += 2;
    return Buffer.concat(moved);
  });
}

async function run(input: Uint8Array): Promise<string> {
  const plan = planOf(input);
  const hand = new Hand();
  const server = serveHttp2(hand.connection, hand.service(plan.manner), { runtime: hand.runtime });
  hand.connection.feed(clientPreface);
  for (const chunk of chunksOf(input, plan)) {
    hand.connection.feed(chunk);
    await hand.turn();
  }
  if (plan.manner === 'echo') await compare(input, hand);
  if (plan.finishes) hand.connection.finish();
  await hand.turn();
  if (plan.stays) await hand.outwait(plan.manner);
  const { destroyed } = hand.connection;
  await hand.lose();
  expect(
    server.activeStreams === 0,
    () => `held: ${server.activeStreams} streams of a connection that is gone`,
  );
  const frames = readOutput(hand.written, input.subarray(1), 'server');
  const most = 40 * input.length + 20_000;
  expect(
    hand.written.length < most,
    () => `output: ${hand.written.length} bytes for an input of ${input.length}`,
  );
  const abuse = Object.entries(server.abuse).flatMap(([name, count]) => (count > 0 ? [name] : []));
  const said = new Set(frames.map((each) => `${each.type}${codeOf(each.type, each.payload)}`));
  const ends = hand.served.map(({ call }) => call.outcome?.error?.reason ?? 'ok');
  return [abuse, [...said], ends.slice(0, 3), shapes(hand.served), destroyed].join(' ');
}

function codeOf(type: number, payload: Buffer): string {
  if (type === frameType.rstStream) return `:${payload.readUInt32BE(0)}`;
  return type === frameType.goaway ? `:${payload.readUInt32BE(4)}:${payload.toString('latin1', 8)}` : '';
}

function shapes(served: readonly Served[]): string[] {
  return served.slice(0, 3).map(({ request: { method, protocol, body }, meaning }) => {
    const trailers = (meaning?.trailers.length ?? 0) > 0;
    return `${method.slice(0, 7)}${protocol === undefined ? '' : '!'}${body.size === undefined ? '?' : ''}${trailers}`;
  });
}

/**
 * What both have read of a stream is the same; a stream that only one has read was refused by the other, or given up by
 * the client before we looked at it.
 */
async function compare(input: Uint8Array, hand: Hand): Promise<void> {
  const bytes = input.subarray(1);
  const log = new FrameLog();
  log.read(hand.written);
  const ours = byStream(hand, log);
  const gone = hand.connection.destroyed || hand.connection.ended || log.goaway !== undefined;
  if (gone && ours.size === 0) return;
  const { read, over, refused } = await nodeReadsStreams(Buffer.concat([clientPreface, bytes]));
  for (const [id, mine] of ours) {
    const other = read.get(id);
    const parted = other === undefined ? undefined : difference(mine, other);
    expect(parted === undefined, () => `meaning: of stream ${id} ${parted}`);
    const reason = over || refused.has(id);
    expect(
      other !== undefined || reason,
      () => `waiting: node:http2 waits where we have read ${JSON.stringify(mine)}`,
    );
  }
  if (gone) return;
  const givenUp = resetsIn(bytes);
  for (const [id, other] of read)
    expect(
      ours.has(id) || givenUp.has(id) || answered(log, id),
      () => `waiting: we wait on stream ${id} where node:http2 has read ${JSON.stringify(other)}`,
    );
}

/** Refused, or answered by other means than by a service that has read it. */
function answered(log: FrameLog, id: number): boolean {
  return log.frames.some(
    ({ type, streamId }) => streamId === id && (type === frameType.headers || type === frameType.rstStream),
  );
}

/** Streams that the client resets. */
function resetsIn(bytes: Uint8Array): Set<number> {
  const found = new Set<number>();
  const reader = new FrameReader((type, _flags, streamId) => {
    if (type === frameType.rstStream) found.add(streamId);
  });
  try {
    reader.read(Buffer.from(bytes));
  } catch (thrown) {
    // A frame that is too large ends it, for both readers too.
    if (!(thrown instanceof ConnectionFault)) throw thrown;
  }
  return found;
}

/** What was read completely, by the stream that the answer came on. */
function byStream(hand: Hand, log: FrameLog): Map<number, Meaning> {
  const found = new Map<number, Meaning>();
  for (const each of log.ofType(frameType.headers)) {
    const index = log.fields(each).find(([name]) => name === 'x-served')?.[1];
    const meaning = index === undefined ? undefined : hand.served[Number(index)]?.meaning;
    if (meaning !== undefined) found.set(each.streamId, meaning);
  }
  return found;
}
