// When a turn's output is cut must depend on its bytes alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@heddle/kernel';
import { VirtualTime } from '@heddle/kernel/simulated';
import { writeData } from './frame-writer.ts';
import { Output } from './output.ts';

interface Written {
  readonly output: Output;
  readonly time: VirtualTime;
  /** What was handed over, write by write. */
  readonly writes: string[];
}

function written(): Written {
  const time = new VirtualTime();
  const writes: string[] = [];
  const connection = {
    pendingBytes: 0,
    write: (chunk: Uint8Array) => {
      writes.push(Buffer.from(chunk).toString('latin1'));
      return true;
    },
  } as unknown as Connection;
  return { output: new Output(connection, time.timers, () => {}), time, writes };
}

const parts = Array.from({ length: 60 }, (_, index) => Buffer.alloc(300 + index, 65 + (index % 26)));

test('a turn leaves as one write, whoever takes memory beside it', async () => {
  const alone = written();
  for (const part of parts) writeData(alone.output, 1, part, 0, part.length, false);
  await alone.time.advance(0);
  assert.equal(alone.writes.length, 1);

  const [one, other] = [written(), written()];
  for (const part of parts) {
    writeData(one.output, 1, part, 0, part.length, false);
    writeData(other.output, 1, part, 0, part.length, false);
  }
  await Promise.all([one.time.advance(0), other.time.advance(0)]);
  assert.deepEqual(one.writes, alone.writes);
  assert.deepEqual(other.writes, alone.writes);
});

test('a turn that gathers much hands it over in pieces, the same ones each time', async () => {
  const content = Buffer.alloc(16_000, 'x');
  const lengths = async (): Promise<readonly number[]> => {
    const { output, time, writes } = written();
    for (let index = 0; index < 20; index++)
      writeData(output, index * 2 + 1, content, 0, content.length, true);
    await time.advance(0);
    return writes.map((write) => write.length);
  };
  const first = await lengths();
  assert.ok(first.length > 1);
  assert.equal(
    first.reduce((sum, length) => sum + length, 0),
    20 * 16_009,
  );
  for (let run = 0; run < 20; run++) assert.deepEqual(await lengths(), first);
});
