import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '@heddle/kernel/simulated';
import { Outbox } from './outbox.ts';
import { HandConnection } from './testdata/hand-connection.ts';

/** Remembers what memory it was given. */
class Holding extends HandConnection {
  readonly memory = new Set<ArrayBufferLike>();

  override write(chunk: Uint8Array): boolean {
    this.memory.add(chunk.buffer);
    return super.write(chunk);
  }

  override writeAll(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.memory.add(chunk.buffer);
    return super.write(Buffer.concat(chunks));
  }

  get heldBytes(): number {
    return [...this.memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}

const inSlab = (bytes: number): Uint8Array => new Uint8Array(new ArrayBuffer(65_536), 100, bytes).fill(7);

test('a peer that does not read keeps at most one piece of shared memory alive, beside four times what waits', () => {
  const connection = new Holding();
  connection.capacity = 65_536;
  const outbox = new Outbox(connection, new VirtualTime().timers);
  for (let piece = 0; piece < 200; piece++) {
    // Some alone, some gathered.
    if (piece % 3 === 0) outbox.cork();
    outbox.write(inSlab(piece % 2 === 0 ? 50 : 3000));
    if (piece % 3 === 2) outbox.uncork();
  }
  assert.ok(connection.heldBytes <= 65_536 + 4 * connection.pendingBytes, `${connection.heldBytes} are held`);
});

test('what need not wait is written as it is', () => {
  const connection = new Holding();
  const outbox = new Outbox(connection, new VirtualTime().timers);
  const piece = inSlab(10);
  outbox.write(piece);
  assert.deepEqual([...connection.memory], [piece.buffer]);
});
