import { badPacket } from './jute-reader.ts';

// A node holds a megabyte at most, unless the server was told otherwise; a list of many children may be longer.
const longestPacket = 64 * 1024 * 1024;

/** Takes the chunks of a connection as they come, and gives the packets in them without their lengths. */
export class PacketSplitter {
  #held: Uint8Array = new Uint8Array(0);

  /** Throws `data_loss` / `BAD_PACKET` for a length that cannot be one. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void> {
    this.#held = this.#held.byteLength === 0 ? chunk : joined(this.#held, chunk);
    for (;;) {
      const held = this.#held;
      if (held.byteLength < 4) return;
      const length = new DataView(held.buffer, held.byteOffset).getInt32(0);
      if (length < 0 || length > longestPacket) throw badPacket(`a packet of ${length} bytes`);
      if (held.byteLength < 4 + length) return;
      this.#held = held.subarray(4 + length);
      yield held.subarray(4, 4 + length);
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a);
  both.set(b, a.byteLength);
  return both;
}
