const encoder = new TextEncoder();

/** Writes values as ZooKeeper's jute does: big-endian, text and bytes behind their length. */
export class JuteWriter {
  #bytes: Uint8Array = new Uint8Array(256);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  int(value: number): this {
    const at = this.#claim(4);
    this.#view.setInt32(at, value);
    return this;
  }

  long(value: bigint): this {
    const at = this.#claim(8);
    this.#view.setBigInt64(at, value);
    return this;
  }

  bool(value: boolean): this {
    const at = this.#claim(1);
    this.#bytes[at] = value ? 1 : 0;
    return this;
  }

  /** Undefined is jute's null. */
  buffer(value: Uint8Array | undefined): this {
    if (value === undefined) return this.int(-1);
    this.int(value.byteLength);
    const at = this.#claim(value.byteLength);
    this.#bytes.set(value, at);
    return this;
  }

  text(value: string): this {
    return this.buffer(encoder.encode(value));
  }

  /** What was written, behind its length: a packet. The writer must not be used any more. */
  packet(): Uint8Array {
    const packet = new Uint8Array(4 + this.#length);
    new DataView(packet.buffer).setInt32(0, this.#length);
    packet.set(this.#bytes.subarray(0, this.#length), 4);
    return packet;
  }

  #claim(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.byteLength) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
