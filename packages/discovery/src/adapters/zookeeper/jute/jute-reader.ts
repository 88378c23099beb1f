import { HeddleError } from '@heddle/kernel';

const decoder = new TextDecoder();

/**
 * Reads what `JuteWriter` writes. Throws `data_loss` / `BAD_PACKET` where the packet ends too soon or a length cannot
 * be one. The bytes it gives are its own.
 */
export class JuteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(packet: Uint8Array) {
    this.#bytes = packet;
    this.#view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  long(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  bool(): boolean {
    return this.#bytes[this.#take(1)] === 1;
  }

  /** Null is read as no bytes. */
  buffer(): Uint8Array {
    const length = this.int();
    if (length === -1) return new Uint8Array(0);
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  text(): string {
    return decoder.decode(this.buffer());
  }

  texts(): string[] {
    const count = this.int();
    if (count > this.left / 4) throw badPacket(`${count} texts in ${this.left} bytes`);
    return Array.from({ length: Math.max(0, count) }, () => this.text());
  }

  #take(count: number): number {
    if (count < 0 || count > this.left) throw badPacket(`a field of ${count} bytes with ${this.left} left`);
    const at = this.#at;
    this.#at += count;
    return at;
  }
}

/** `data_loss` / `BAD_PACKET`. */
export function badPacket(found: string): HeddleError {
  const message = `ZooKeeper: expected a whole packet, found ${found}`;
  return new HeddleError({ code: 'data_loss', reason: 'BAD_PACKET', message });
}
