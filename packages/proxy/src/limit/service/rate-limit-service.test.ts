import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProtobufReader, ProtobufWriter } from '@heddle/telemetry';
import { fewMessagesOf, frame, readGrpcStatus, wholeBody } from '@heddle/wire';
import { loadGatewayConfig } from '../../model/gateway-config.ts';
import { World } from '../../testdata/world.ts';

const path = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
const hour = 3_600_000;
const limits = [
  {
    domain: 'shop',
    match: [{ key: 'user', value: 'vip' }],
    rule: { algorithm: 'fixed_window', limit: 9, windowMs: hour },
  },
  { domain: 'shop', match: [{ key: 'user' }], rule: { algorithm: 'fixed_window', limit: 3, windowMs: hour } },
  {
    domain: 'shop',
    match: [{ key: 'path', value: '/x' }, { key: 'user' }],
    rule: { algorithm: 'token_bucket', limit: 2, windowMs: 1500 },
  },
];
const route = {
  grpc: { service: 'envoy.service.ratelimit.v3.RateLimitService', method: 'ShouldRateLimit' },
  rateLimitService: limits,
};

type Descriptor = readonly (readonly [key: string, value: string])[];

/** A `RateLimitRequest`; `more` goes on with the last descriptor. */
function question(
  descriptors: readonly Descriptor[],
  hits = 0,
  more?: (writer: ProtobufWriter) => void,
): Uint8Array {
  const writer = new ProtobufWriter();
  writer.text(1, 'shop');
  for (const [at, entries] of descriptors.entries()) {
    const outer = writer.open(2);
    for (const [key, value] of entries) {
      const entry = writer.open(1);
      writer.text(1, key);
      writer.text(2, value);
      writer.close(entry);
    }
    if (at === descriptors.length - 1) more?.(writer);
    writer.close(outer);
  }
  if (hits > 0) writer.uint(3, hits);
  return writer.finish().slice();
}

/** Overall code, and for each descriptor its code, limit, unit and what remains. */
interface Answer {
  overall: number;
  readonly statuses: number[][];
}

function readAnswer(bytes: Uint8Array): Answer {
  const reader = new ProtobufReader(bytes);
  const answer: Answer = { overall: 0, statuses: [] };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 8) answer.overall = reader.uint();
    else if (tag === 18) answer.statuses.push(readStatus(reader));
    else reader.skip(tag);
  }
  return answer;
}

function readStatus(reader: ProtobufReader): number[] {
  const status = [0, 0, 0, 0];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 8) status[0] = reader.uint();
    else if (tag === 24) status[3] = reader.uint();
    else if (tag === 18) {
      const inner = reader.open();
      while (reader.more) {
        const field = reader.tag();
        if (field === 8) status[1] = reader.uint();
        else if (field === 16) status[2] = reader.uint();
        else reader.skip(field);
      }
      reader.close(inner);
    } else reader.skip(tag);
  }
  reader.close(outer);
  return status;
}

async function ask(world: World, bytes: Uint8Array): Promise<Answer | string> {
  const headers = { 'content-type': 'application/grpc' };
  const response = await world.send(path, headers, { method: 'POST', body: wholeBody(frame(bytes)) });
  if (response.fields.has('grpc-status')) return readGrpcStatus(response.fields, 200)?.message ?? '';
  const [message] = await fewMessagesOf(response.body, { limitBytes: 65_536, compression: undefined }, 1);
  return readAnswer(message ?? new Uint8Array());
}

describe('the rate limit service for Envoys', () => {
  test('each value is counted by itself, by the first limit that fits', async () => {
    const world = World.of(route);
    const codes = async (user: string, count: number): Promise<number[]> => {
      const seen: number[] = [];
      for (let at = 0; at < count; at++)
        seen.push(((await ask(world, question([[['user', user]]]))) as Answer).overall);
      return seen;
    };
    assert.deepEqual(await codes('ann', 5), [1, 1, 1, 2, 2]);
    assert.deepEqual(await codes('ben', 4), [1, 1, 1, 2]);
    assert.deepEqual((await codes('vip', 10)).filter((code) => code === 1).length, 9);
  });

  test('what one descriptor refuses takes nothing of the others', async () => {
    const world = World.of(route);
    const both = question(
      [
        [['user', 'ann']],
        [
          ['path', '/x'],
          ['user', 'ann'],
        ],
      ],
      2,
    );
    assert.deepEqual(await ask(world, both), {
      overall: 1,
      statuses: [
        [1, 3, 3, 1],
        [1, 2, 0, 0],
      ],
    });
    const [own, other] = (
      (await ask(
        world,
        question([
          [['user', 'ann']],
          [
            ['path', '/x'],
            ['user', 'ann'],
          ],
        ]),
      )) as Answer
    ).statuses;
    assert.deepEqual([own?.[0], other?.[0]], [1, 2]);
    assert.deepEqual(await ask(world, question([[['user', 'ann']]])), {
      overall: 1,
      statuses: [[1, 3, 3, 0]],
    });
  });

  test('an Envoy may bring a limit of its own; what no limit is for is let through', async () => {
    const world = World.of(route);
    const withLimit = question([[['any', 'thing']]], 0, (writer) => {
      const limit = writer.open(2);
      writer.uint(1, 1);
      writer.uint(2, 2);
      writer.close(limit);
    });
    assert.deepEqual(await ask(world, withLimit), { overall: 1, statuses: [[1, 1, 2, 0]] });
    assert.equal(((await ask(world, withLimit)) as Answer).overall, 2);
    assert.deepEqual(
      await ask(
        world,
        question([
          [
            ['user', 'x'],
            ['path', '/x'],
          ],
        ]),
      ),
      { overall: 1, statuses: [[1, 0, 0, 0]] },
    );
  });

  test('what cannot be counted is refused, and says what was expected', async () => {
    const world = World.of(route);
    const negative = question([[['user', 'ann']]], 0, (writer) => writer.bool(4, true));
    for (const [bytes, expected] of [
      [negative, /hits that are taken, found negative/],
      [question([]), /1 to 100 descriptors, found 0/],
      [question([[]]), /a descriptor with entries/],
      [Uint8Array.of(0x12, 0x7f), /protobuf/],
    ] as const)
      assert.match(JSON.stringify(await ask(world, bytes)), expected);
  });

  test('rules that cannot hold for an Envoy are problems of the file, with their places', () => {
    const at = (rule: object): string =>
      JSON.stringify({
        routes: [
          { path: '/', respond: { status: 200 } },
          { ...route, rateLimitService: [{ ...limits[0], rule }] },
        ],
      });
    for (const [rule, expected] of [
      [{ algorithm: 'concurrency', limit: 3 }, /does not say when requests end/],
      [{ algorithm: 'leaky_bucket', limit: 3, windowMs: 10, maxDelayMs: 5 }, /told yes or no/],
      [{ algorithm: 'fixed_window', limt: 3, windowMs: 10 }, /did you mean "limit"/],
    ] as const) {
      const [bad] = loadGatewayConfig(at(rule), 'test').quarantined;
      assert.match(bad?.problems.map(({ message }) => message).join() ?? '', expected);
      assert.ok((bad?.problems[0]?.column ?? 0) > 1);
    }
  });
});
