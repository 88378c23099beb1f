import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address } from '@heddle/kernel';
import { type VirtualRuntime, virtualRuntime } from '../../testing/virtual-runtime.ts';
import type { Datagrams } from './datagrams.ts';
import { DnsClient } from './dns-client.ts';

type Reply = (query: Uint8Array) => readonly (readonly number[])[];

// A question a.test A/IN, as `encodeQuery` writes it; its name is at offset 12.
const question = [1, 97, 4, 116, 101, 115, 116, 0, 0, 1, 0, 1];
const answerA = (last: number, ttl = 60): number[] => [
  0xc0,
  12,
  0,
  1,
  0,
  1,
  0,
  0,
  0,
  ttl,
  0,
  4,
  10,
  0,
  0,
  last,
];
const soa = (ttl: number, minimum: number): number[] => {
  const rest = [0, 0, ...Array<number>(16).fill(0), 0, 0, 0, minimum];
  return [0xc0, 14, 0, 6, 0, 1, 0, 0, 0, ttl, 0, rest.length, ...rest];
};

function message(
  query: Uint8Array,
  rcode: number,
  answers: number[][],
  authorities: number[][] = [],
): number[] {
  const counts = [0, 1, 0, answers.length, 0, authorities.length, 0, 0];
  return [
    query[0] ?? 0,
    query[1] ?? 0,
    0x81,
    0x80 + rcode,
    ...counts,
    ...question,
    ...answers.flat(),
    ...authorities.flat(),
  ];
}

/** A client of servers that are functions; one that gives no expected reply is silent. */
function stage(servers: Readonly<Record<string, Reply>>): {
  runtime: VirtualRuntime;
  client: DnsClient;
  asked: string[];
} {
  const runtime = virtualRuntime();
  const asked: string[] = [];
  const datagrams: Datagrams = (query, { host }, expected, call) => {
    asked.push(host);
    const reply = (servers[host]?.(query) ?? []).map((bytes) => Uint8Array.from(bytes)).find(expected);
    if (reply !== undefined) return Promise.resolve(reply);
    return new Promise((_, reject) => call.onCancel(reject));
  };
  const addresses: Address[] = Object.keys(servers).map((host) => ({ host, port: 53 }));
  return { runtime, client: new DnsClient({ runtime, datagrams, servers: addresses }), asked };
}

const addresses = async (runtime: VirtualRuntime, client: DnsClient): Promise<unknown[]> => {
  const { records } = await runtime.time.run(client.ask('A.Test.', 'A'));
  return records.map(({ data }) => data);
};

test('a reply with another id, to another question, or that is none, is not believed', async () => {
  const { runtime, client } = stage({
    ns: (query) => [
      message(Uint8Array.from([(query[0] ?? 0) ^ 1, query[1] ?? 0]), 0, [answerA(66)]),
      message(query, 0, [answerA(66)]).map((byte, at) => (at === 13 ? 98 : byte)),
      message(query, 0, [answerA(66)]).map((byte, at) => (at === 2 ? 0x01 : byte)),
      [1, 2, 3],
      message(query, 0, [answerA(1)]),
    ],
  });
  assert.deepEqual(await addresses(runtime, client), ['10.0.0.1']);
});

test('a silent server, one that fails, and then one that answers', async () => {
  const { runtime, client, asked } = stage({
    silent: () => [],
    failing: (query) => [message(query, 2, [])],
    good: (query) => [message(query, 0, [answerA(1), answerA(2)])],
  });
  assert.deepEqual(await addresses(runtime, client), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(asked, ['silent', 'failing', 'good']);
  assert.equal(runtime.clock.nowMs(), 2000);
});

test('nobody answers: two tries each, then unavailable, and nothing is kept', async () => {
  const { runtime, client, asked } = stage({ silent: () => [], failing: (query) => [message(query, 2, [])] });
  const ask = (): Promise<unknown> => runtime.time.run(client.ask('a.test', 'A'));
  await assert.rejects(ask(), { code: 'unavailable', reason: 'DNS_FAILED' });
  assert.deepEqual(asked, ['silent', 'failing', 'silent', 'failing']);
  await assert.rejects(ask(), { reason: 'DNS_FAILED' });
  assert.equal(asked.length, 8);
});

test('an answer is kept for the shortest TTL in it; one of TTL 0 is not', async () => {
  let ttl = 60;
  const { runtime, client, asked } = stage({
    ns: (query) => [message(query, 0, [answerA(1, ttl), answerA(2, 90)])],
  });
  await addresses(runtime, client);
  await runtime.time.advance(59_999);
  await addresses(runtime, client);
  assert.equal(asked.length, 1);
  ttl = 0;
  await runtime.time.advance(1);
  await addresses(runtime, client);
  await addresses(runtime, client);
  assert.equal(asked.length, 3);
});

test('a negative answer is kept for the lesser of the two times in its SOA (RFC 2308)', async () => {
  for (const [rcode, ttl, minimum] of [
    [3, 30, 20],
    [0, 20, 30],
  ] as const) {
    const { runtime, client, asked } = stage({
      ns: (query) => [message(query, rcode, [], [soa(ttl, minimum)])],
    });
    assert.deepEqual(await addresses(runtime, client), []);
    await runtime.time.advance(19_999);
    await addresses(runtime, client);
    assert.equal(asked.length, 1);
    await runtime.time.advance(1);
    await addresses(runtime, client);
    assert.equal(asked.length, 2);
  }
});

test('a bad name is refused before anything is sent, and no server is no client', async () => {
  const { runtime, client, asked } = stage({ ns: () => [] });
  await assert.rejects(runtime.time.run(client.ask('a..b', 'A')), { reason: 'BAD_DNS_NAME' });
  assert.equal(asked.length, 0);
  assert.throws(() => stage({}), { reason: 'NO_DNS_SERVER' });
});
