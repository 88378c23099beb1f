import { Call, HeddleError, settle } from '@heddle/kernel';
import { connectHttp2 } from '../../packages/wire/src/http2/client-connection.ts';
import { flag, frameType } from '../../packages/wire/src/http2/frame.ts';
import { data, frame, headers, settings, uint32 } from '../../packages/wire/src/http2/testdata/raw-frames.ts';
import { emptyBody, Fields, type HttpResponse } from '../../packages/wire/src/index.ts';
import { Hand } from '../hand.ts';
import { difference, meantFields, type Meaning } from '../meaning.ts';
import { chunksOf, planOf, withPlan } from '../plan.ts';
import { nodeReadsAnswers } from '../reference/node-http2.ts';
import { readOutput } from '../strict/http2-frames.ts';
import { expect, type Target } from '../target.ts';
import { Blocks, exchange, frameDictionary, framesOf, responseFields, wildFrame } from './http2-parts.ts';

const methods = ['GET', 'GET', 'HEAD', 'GET'] as const;
const hello = [settings(), frame(frameType.settings, flag.ack, 0)];
const ok: [string, string][] = [
  [':status', '200'],
  ['content-type', 'text/plain'],
];

/** Frames from a server with four requests open: our client, and that of node:http2 beside it. */
export const http2Answers: Target = {
  name: 'h2-responses',
  seeds: [
    [headers(1, ok), headers(3, ok, false), data(3, 'hello', true)],
    [headers(1, [[':status', '103']], false), headers(1, ok, false), headers(1, [['grpc-status', '0']])],
    [headers(5, [...ok, ['content-length', '5']])],
    [frame(frameType.goaway, 0, 0, Buffer.concat([uint32(1), uint32(0)])), headers(1, ok)],
    [frame(frameType.rstStream, 0, 1, uint32(7)), frame(frameType.rstStream, 0, 3, uint32(8))],
  ].map((frames) => withPlan(0, Buffer.concat([...hello, ...frames]))),
  dictionary: [...frameDictionary, frame(frameType.headers, flag.endHeaders, 1, Buffer.of(0x88))],
  generate: (chance) => {
    chance.calm = chance.pick([1, 5, 30]);
    const blocks = new Blocks(chance);
    const wild = chance.some(8, () => wildFrame(chance, blocks, responseFields));
    const answers = [1, 3, 5, 7].flatMap((id) => exchange(chance, blocks, id, responseFields));
    const frames = chance.calm === 1 && chance.oneIn(2) ? wild : answers;
    return withPlan(chance.below(256), Buffer.concat([...(chance.rarely(10) ? [] : hello), ...frames]));
  },
  pieces: framesOf,
  run,
};

/** A request of ours, and what became of it. */
interface Asked {
  readonly call: Call;
  meaning: Meaning | undefined;
  failed: string | undefined;
}

async function run(input: Uint8Array): Promise<string> {
  const plan = planOf(input);
  const hand = new Hand();
  const { connection, runtime } = hand;
  const client = connectHttp2(connection, { runtime });
  const asked = methods.map(
    (): Asked => ({ call: Call.root(runtime), meaning: undefined, failed: undefined }),
  );
  const reading = asked.map((each, at) =>
    ask(client.request, methods[at] ?? 'GET', plan.manner === 'leave', each),
  );
  await hand.turn();
  for (const chunk of chunksOf(input, plan)) {
    connection.feed(chunk);
    await hand.turn();
  }
  if (plan.manner !== 'leave') await compare(input, asked);
  if (plan.finishes) connection.finish();
  await hand.turn();
  const { active, state } = client;
  await hand.lose();
  await Promise.all(reading);
  const unended = asked.filter(({ call }) => call.outcome === undefined).length;
  expect(unended === 0, () => `unended: ${unended} calls have not ended with their connection`);
  expect(client.active === 0, () => `held: ${client.active} streams of a connection that is gone`);
  readOutput(hand.written, input.subarray(1), 'client');
  const abuse = Object.entries(client.abuse).flatMap(([name, count]) => (count > 0 ? [name] : []));
  const ends = asked.map(({ meaning, failed, call }) => [
    meaning?.start,
    failed,
    call.outcome?.error?.reason,
    call.outcome?.error?.sent,
    (meaning?.trailers.length ?? 0) > 0,
  ]);
  return [state, active, abuse, ...ends].join(' ');
}

async function ask(
  request: ReturnType<typeof connectHttp2>['request'],
  method: string,
  leaves: boolean,
  asked: Asked,
): Promise<void> {
  const head = {
    method,
    scheme: 'http',
    authority: 'test',
    path: '/',
    fields: new Fields(),
    body: emptyBody,
  } as const;
  const result = await settle(request, head, asked.call);
  if (!result.ok) {
    asked.failed = result.error.reason;
    return;
  }
  await read(result.value, leaves, asked);
}

async function read({ status, fields, body }: HttpResponse, leaves: boolean, asked: Asked): Promise<void> {
  try {
    if (leaves) {
      for await (const _chunk of body) break;
      return;
    }
    const content = Buffer.from(await body.bytes(1_000_000)).toString('latin1');
    const trailers = meantFields(body.trailers?.raw ?? []);
    asked.meaning = { start: String(status), fields: meantFields(fields.raw), content, trailers };
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    asked.failed = error.reason;
  }
}

/** What both have read of a stream is the same; what only one has read was refused by the other. */
async function compare(input: Uint8Array, asked: readonly Asked[]): Promise<void> {
  if (asked.every(({ failed }) => failed !== undefined)) return;
  const { read: theirs, refused, over } = await nodeReadsAnswers(Buffer.from(input.subarray(1)), methods);
  for (const [at, { meaning, failed }] of asked.entries()) {
    const id = 2 * at + 1;
    const other = theirs.get(id);
    if (meaning === undefined) {
      const waits = failed === undefined && other !== undefined;
      expect(!waits, () => `waiting: we wait where node:http2 has read ${JSON.stringify(other)}`);
      continue;
    }
    const parted = other === undefined ? undefined : difference(meaning, other);
    expect(parted === undefined, () => `meaning: of stream ${id} ${parted}`);
    const reason = over || refused.has(id);
    expect(
      other !== undefined || reason,
      () => `waiting: node:http2 waits where we read ${JSON.stringify(meaning)}`,
    );
  }
}
