import { Call, HeddleError, settle } from '@heddle/kernel';
import { ClientConnection } from '../../packages/wire/src/http1/client-connection.ts';
import { http1ClientLimits } from '../../packages/wire/src/http1/client-limits.ts';
import { responseCases } from '../../packages/wire/src/http1/testdata/response-cases.ts';
import { emptyBody, Fields, type HttpResponse } from '../../packages/wire/src/index.ts';
import type { Chance } from '../chance.ts';
import { Hand } from '../hand.ts';
import { difference, meantFields, type Meaning } from '../meaning.ts';
import { chunksOf, planOf, withPlan } from '../plan.ts';
import { nodeReadsAnswer } from '../reference/node-http1.ts';
import { expect, type Target } from '../target.ts';
import { contents, framingLines, lineEnds, linesOf } from './http1-parts.ts';

const starts = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 ',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 103 Early Hints',
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.1 200',
  'HTTP/1.1 99 X',
  'HTTP/1.1 1000 X',
  'HTTP/1.1 600 X',
  'HTTP/1.1  200 OK',
  'HTTP/1.2 200 OK',
  'HTTP/2 200 OK',
  'ICY 200 OK',
  'HTTP/1.1 +20 OK',
  'HTTP/1.1 200 \x01',
  '',
] as const;

/** The answer to one request: our client, and that of node:http beside it. */
export const http1Answers: Target = {
  name: 'responses',
  seeds: responseCases.map(({ bytes, method, ends }) =>
    withPlan((method === 'HEAD' ? 2 : 0) + (ends ? 0x40 : 0), bytes),
  ),
  dictionary: [...starts, ...framingLines, ...contents, ...lineEnds.slice(0, 4)].map((text) =>
    Buffer.from(text, 'latin1'),
  ),
  generate: (chance) => {
    chance.calm = chance.pick([1, 5, 30]);
    const interim = chance.oneIn(5) ? `HTTP/1.1 ${chance.pick([100, 103, 102])} X\r\n\r\n` : '';
    const second = chance.oneIn(8) ? answer(chance) : '';
    return withPlan(chance.below(256), interim.repeat(1 + chance.below(10)) + answer(chance) + second);
  },
  pieces: linesOf,
  run,
};

function answer(chance: Chance): string {
  const fields = chance.some(3, () => chance.mostly(8, framingLines, 3));
  const head = [chance.mostly(9, starts), ...fields].join('\r\n');
  return `${head}\r\n${chance.mostly(1, lineEnds)}${chance.mostly(5, contents, 4)}`;
}

/** What became of the request. */
interface Outcome {
  meaning: Meaning | undefined;
  failed: string | undefined;
}

async function run(input: Uint8Array): Promise<string> {
  const plan = planOf(input);
  const method = plan.manner === 'early' ? 'HEAD' : 'GET';
  const hand = new Hand();
  const { connection, runtime } = hand;
  let freed = 0;
  let gone = 0;
  const owner = { free: () => void freed++, gone: () => void gone++ };
  const client = new ClientConnection(runtime, connection, http1ClientLimits, owner);
  const call = Call.root(runtime);
  const outcome: Outcome = { meaning: undefined, failed: undefined };
  const request = {
    method,
    scheme: 'http',
    authority: 'a',
    path: '/',
    fields: new Fields(),
    body: emptyBody,
  } as const;
  const reading = settle((asked, on) => client.exchange(asked, on), request, call).then(async (result) => {
    if (result.ok) await read(result.value, plan.manner === 'leave', outcome);
    else outcome.failed = said(result.error);
  });
  for (const chunk of chunksOf(input, plan)) {
    connection.feed(chunk);
    await hand.turn();
  }
  if (plan.finishes) connection.finish();
  await hand.turn();
  const usable = freed > 0 && client.usable && !connection.destroyed;
  const trusted = outcome.failed === undefined || !usable;
  expect(trusted, () => `trusted: a connection is used again after ${outcome.failed}`);
  if (plan.manner !== 'leave') await compare(input, method, plan.finishes, outcome);
  await hand.lose();
  await reading;
  expect(call.outcome !== undefined, () => 'unended: the call has not ended with its connection');
  expect(gone <= 1, () => `gone: the owner heard ${gone} times that the connection is gone`);
  const { meaning, failed } = outcome;
  return [
    meaning?.start,
    (meaning?.trailers.length ?? 0) > 0,
    failed,
    call.outcome?.error?.reason,
    usable,
  ].join(' ');
}

async function read(
  { status, fields, body }: HttpResponse,
  leaves: boolean,
  outcome: Outcome,
): Promise<void> {
  try {
    if (leaves) {
      for await (const _chunk of body) break;
      return;
    }
    const content = Buffer.from(await body.bytes(1_000_000)).toString('latin1');
    const trailers = meantFields(body.trailers?.raw ?? []);
    outcome.meaning = { start: String(status), fields: meantFields(fields.raw), content, trailers };
  } catch (error) {
    outcome.failed = said(error);
  }
}

function said(error: unknown): string {
  if (!(error instanceof HeddleError)) throw error;
  return `${error.reason} ${error.message.replace(/\d+/g, '#')}`;
}

/** What both have read is the same. An answer that only we have read is one that node:http refuses. */
async function compare(
  input: Uint8Array,
  method: string,
  ends: boolean,
  { meaning }: Outcome,
): Promise<void> {
  // A tunnel has no content that could be compared.
  if (meaning === undefined || meaning.start === '101') return;
  const { read: theirs, refused } = await nodeReadsAnswer(Buffer.from(input.subarray(1)), method, ends);
  const [other] = theirs;
  const parted = other === undefined ? undefined : difference(meaning, other);
  expect(parted === undefined, () => `meaning: ${parted}`);
  expect(
    other !== undefined || refused,
    () => `waiting: node:http waits where we read ${JSON.stringify(meaning)}`,
  );
}
