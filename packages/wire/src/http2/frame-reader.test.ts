import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ConnectionFault, errorCode } from './error-code.ts';
import { FrameReader } from './frame-reader.ts';
import { frame, type RawFrame } from './testdata/raw-frames.ts';
import { ByHand } from './testdata/server-by-hand.ts';

function framesIn(chunks: readonly Buffer[]): RawFrame[] {
  const frames: RawFrame[] = [];
  const reader = new FrameReader((type, flags, streamId, bytes, start, end) => {
    frames.push({ type, flags, streamId, payload: Buffer.from(bytes.subarray(start, end)) });
  });
  for (const chunk of chunks) reader.read(chunk);
  return frames;
}

const frameArbitrary = fc
  .tuple(fc.nat(255), fc.nat(255), fc.nat(0x7fff_ffff), fc.uint8Array({ maxLength: 300 }))
  .map(
    ([type, flags, streamId, bytes]): RawFrame => ({ type, flags, streamId, payload: Buffer.from(bytes) }),
  );

describe('frame reader', () => {
  test('gives the same frames however the bytes are cut', () => {
    const cuts = fc.array(fc.nat(40), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(frameArbitrary, { maxLength: 12 }), cuts, (frames, sizes) => {
        const bytes = Buffer.concat(
          frames.map((each) => frame(each.type, each.flags, each.streamId, each.payload)),
        );
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = 1 + (sizes[turn % sizes.length] ?? 0);
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(framesIn(chunks), frames);
      }),
      { seed: 9113, numRuns: 500 },
    );
  });

  test('ignores the reserved bit of a stream identifier', () => {
    const [only] = framesIn([frame(0, 0, 0xffff_ffff)]);
    assert.equal(only?.streamId, 0x7fff_ffff);
  });

  test('takes a payload of 16384 bytes and no more, before it has come', () => {
    assert.equal(framesIn([frame(0, 0, 1, Buffer.alloc(16_384))]).length, 1);
    const head = frame(0, 0, 1, Buffer.alloc(16_385)).subarray(0, 9);
    const isTooLarge = (thrown: unknown): boolean =>
      thrown instanceof ConnectionFault && thrown.code === errorCode.frameSizeError;
    assert.throws(() => framesIn([head]), isTooLarge);
    assert.throws(() => framesIn([head.subarray(0, 4), head.subarray(4)]), isTooLarge);
  });

  test('stops within a chunk when it is told to', () => {
    let seen = 0;
    const reader = new FrameReader(() => {
      seen++;
      reader.stop();
    });
    reader.read(Buffer.concat([frame(0, 0, 1), frame(0, 0, 1)]));
    assert.equal(seen, 1);
  });
});

interface CorpusCase {
  readonly error: number[] | null;
  readonly wire: string;
  readonly description: string;
  readonly frame: {
    readonly length: number;
    readonly type: number;
    readonly flags: number;
    readonly stream_identifier: number;
  } | null;
}

// http2jp/http2-frame-test-case, beside the repository.
const corpus = join(import.meta.dirname, '../../../../../shared/data/http2/frames');

describe('frame corpus', {
  skip: existsSync(corpus) ? false : `SKIPPED: no frame corpus at ${corpus}`,
}, () => {
  const files = readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );
  for (const name of files) {
    const {
      error,
      wire,
      frame: expected,
    } = JSON.parse(readFileSync(join(corpus, name), 'utf8')) as CorpusCase;
    const bytes = Buffer.from(wire, 'hex');
    if (expected !== null) {
      test(`${name} is read as it says, and written the same`, () => {
        const [only] = framesIn([bytes]);
        assert.ok(only !== undefined);
        const { type, flags, streamId, payload } = only;
        const said = [expected.type, expected.flags, expected.stream_identifier, expected.length];
        assert.deepEqual([type, flags, streamId, payload.length], said);
        assert.deepEqual(frame(type, flags, streamId, payload), bytes);
      });
    } else {
      test(`${name} is refused with one of ${String(error)}`, async () => {
        const hand = new ByHand();
        await hand.begin();
        hand.feed(bytes);
        await hand.turn();
        const [reset] = hand.log.ofType(3);
        assert.ok(error?.includes(hand.log.goaway ?? reset?.payload.readUInt32BE(0) ?? -1));
      });
    }
  }
});
