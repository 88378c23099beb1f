import assert from 'node:assert/strict';
import { it } from 'node:test';
import { JuteWriter } from './jute-writer.ts';
import { PacketSplitter } from './packet-splitter.ts';

it('packets are the same however they are cut', () => {
  const packets = ['a', '', 'a longer one'].map((text) => new JuteWriter().text(text).packet());
  const all = Buffer.concat(packets);
  for (let size = 1; size <= all.length; size++) {
    const splitter = new PacketSplitter();
    const found: string[] = [];
    for (let at = 0; at < all.length; at += size)
      for (const packet of splitter.push(all.subarray(at, at + size)))
        found.push(Buffer.from(packet).toString('hex'));
    assert.deepEqual(
      found,
      packets.map((packet) => Buffer.from(packet.subarray(4)).toString('hex')),
    );
  }
});

it('a length that cannot be one is refused', () => {
  for (const head of ['ffffffff', '7fffffff'])
    assert.throws(() => [...new PacketSplitter().push(Buffer.from(head, 'hex'))], { reason: 'BAD_PACKET' });
});
