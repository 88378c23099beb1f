import { Http1Server } from '../../packages/wire/src/http1/server.ts';
import { http1ServerLimits } from '../../packages/wire/src/http1/server-limits.ts';
import { requestCases } from '../../packages/wire/src/http1/testdata/request-cases.ts';
import type { Chance } from '../chance.ts';
import { Hand, type Served } from '../hand.ts';
import { difference } from '../meaning.ts';
import { chunksOf, planOf, withPlan } from '../plan.ts';
import { nodeReadsRequests } from '../reference/node-http1.ts';
import { readAnswers } from '../strict/http1-answers.ts';
import { expect, type Target } from '../target.ts';
import { contents, framingLines, lineEnds, linesOf } from './http1-parts.ts';

const methods = ['GET', 'POST', 'HEAD', 'PUT', 'OPTIONS', 'CONNECT', 'DELETE', 'get', 'G T', 'M-SEARCH', ''];
const targets = [
  '/',
  '/a?b',
  '//x',
  'http://a/b',
  'HTTP://a',
  'http://b/',
  '*',
  '/\t',
  '/%00',
  '/#f',
  '',
  'x',
  'a:80',
];
const versions = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', ''];
const hosts = [
  'Host: a',
  'host:a',
  'Host: a.example:80',
  'Host: A',
  'Host: b',
  'Host : a',
  'Host:',
  'X: y',
  'Host: a@b',
];
const requestLines = ['Expect: 100-continue', 'Expect: other', 'TE: trailers', 'Upgrade: h2c', 'Via: 1.1 x'];

/** Requests: our server, and node:http beside it. */
export const http1Requests: Target = {
  name: 'h1',
  seeds: requestCases.map(({ bytes }) => withPlan(0, bytes)),
  dictionary: [...framingLines, ...hosts, ...requestLines, ...contents, ...lineEnds.slice(0, 4)].map((text) =>
    Buffer.from(text, 'latin1'),
  ),
  generate: (chance) => {
    chance.calm = chance.pick([1, 5, 30]);
    const requests = Array.from({ length: 1 + chance.below(3) }, () => request(chance));
    return withPlan(chance.below(256), requests.join(''));
  },
  pieces: linesOf,
  run,
};

function request(chance: Chance): string {
  const line = [chance.mostly(4, methods), chance.mostly(2, targets), chance.mostly(1, versions)].join(' ');
  const fields = chance.some(3, () => chance.mostly(8, [...framingLines, ...requestLines], 3));
  const end = chance.mostly(1, lineEnds);
  return `${[line, chance.mostly(4, hosts), ...fields].join('\r\n')}\r\n${end}${chance.mostly(5, contents, 4)}`;
}

async function run(input: Uint8Array): Promise<string> {
  const plan = planOf(input);
  const hand = new Hand();
  const server = new Http1Server(hand.service(plan.manner), hand.runtime, http1ServerLimits);
  server.accept(hand.connection);
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
  const answers = readAnswers(
    hand.connection.written,
    hand.served.map(({ request }) => request.method),
  );
  const most = hand.served.length + 1;
  expect(
    answers.statuses.length <= most,
    () => `answers: ${answers.statuses.length} to ${hand.served.length} requests`,
  );
  expect(server.size === 0, () => 'held: the server still counts a connection that is gone');
  const ends = hand.served.map(({ call }) => call.outcome?.error?.reason ?? 'ok');
  return [
    [...server.refusals.keys()],
    answers.statuses,
    ends.slice(0, 3),
    shapes(hand.served),
    destroyed,
  ].join(' ');
}

function shapes(served: readonly Served[]): string[] {
  return served.slice(0, 3).map(({ request, meaning }) => {
    const { method, protocol, body } = request;
    const trailers = (meaning?.trailers.length ?? 0) > 0;
    return `${method.slice(0, 7)}${protocol === undefined ? '' : '!'}${body.size === undefined ? '?' : ''}${trailers}`;
  });
}

/** What both have read is the same; who has read more is who the other has refused. */
async function compare(input: Uint8Array, hand: Hand): Promise<void> {
  // A node:http server reads no further behind what asks to upgrade, also where nobody takes it and we do not
  // either (RFC 9110 section 7.8 lets both), nor behind CONNECT.
  const asksForMore = /^(upgrade[ \t]*:|connect )/im.test(Buffer.from(input).toString('latin1', 1));
  if (asksForMore) return;
  const ours = hand.served.map(({ meaning }) => meaning).filter((meaning) => meaning !== undefined);
  const { read, refused } = await nodeReadsRequests(Buffer.from(input.subarray(1)));
  for (let at = 0; at < Math.min(ours.length, read.length); at++) {
    const [mine, other] = [ours[at], read[at]];
    const parted = mine === undefined || other === undefined ? undefined : difference(mine, other);
    expect(parted === undefined, () => `meaning: of request ${at + 1} ${parted}`);
  }
  const { ended, destroyed } = hand.connection;
  expect(
    ours.length <= read.length || refused,
    () => 'waiting: node:http waits where we have read a request',
  );
  expect(
    read.length <= ours.length || ended || destroyed,
    () => 'waiting: we wait where node:http has read a request',
  );
}
