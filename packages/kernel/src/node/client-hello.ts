/** What the first bytes of a connection are, as far as they have come. */
export type FirstBytes =
  | { readonly kind: 'more' }
  /** No TLS, or nothing that can be read as the beginning of it. */
  | { readonly kind: 'other' }
  /** A ClientHello, and the name that it asks for, as it is written. */
  | { readonly kind: 'hello'; readonly serverName: string | undefined };

/** The type of the record that every TLS connection begins with (RFC 8446 section 5.1). */
export const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostNameType = 0;
/** Longer ones than any client has reason to send are not waited for. */
const mostBytes = 32_768;

const more: FirstBytes = { kind: 'more' };
const other: FirstBytes = { kind: 'other' };

/**
 * Finds the server name in a ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3), which may be in several records.
 * Nothing is verified: whoever ends TLS reads it again.
 */
export function firstBytes(bytes: Uint8Array): FirstBytes {
  if (bytes.byteLength > 0 && bytes[0] !== handshakeRecord) return other;
  const message = handshakeBytes(bytes);
  if (message === undefined) return other;
  if (message.byteLength < 4) return tooLong(bytes);
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const length = (view.getUint8(1) << 16) | view.getUint16(2);
  if (view.getUint8(0) !== clientHello || length > mostBytes) return other;
  if (message.byteLength < 4 + length) return tooLong(bytes);
  try {
    return { kind: 'hello', serverName: serverNameOf(new Cut(view, 4, 4 + length)) };
  } catch {
    return other;
  }
}

function tooLong({ byteLength }: Uint8Array): FirstBytes {
  return byteLength > mostBytes ? other : more;
}

/** What the records that have come hold, one after the other; undefined where one is of another type. */
function handshakeBytes(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at + 5 <= bytes.byteLength; ) {
    const length = view.getUint16(at + 3);
    if (view.getUint8(at) !== handshakeRecord || view.getUint8(at + 1) !== 3 || length === 0)
      return undefined;
    parts.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return Buffer.concat(parts);
}

/** A part of bytes that is read from its front. Throws a `RangeError` beyond its end. */
class Cut {
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(view: DataView, at: number, end: number) {
    if (end > view.byteLength) throw new RangeError('cut short');
    this.#view = view;
    this.#at = at;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  number(bytes: 1 | 2): number {
    const at = this.#skip(bytes);
    return bytes === 1 ? this.#view.getUint8(at) : this.#view.getUint16(at);
  }

  /** What follows its own length. */
  vector(lengthBytes: 1 | 2): Cut {
    const length = this.number(lengthBytes);
    const at = this.#skip(length);
    return new Cut(this.#view, at, at + length);
  }

  skip(bytes: number): void {
    this.#skip(bytes);
  }

  text(): string {
    const { buffer, byteOffset } = this.#view;
    return Buffer.from(buffer, byteOffset + this.#at, this.left).toString('latin1');
  }

  #skip(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#end) throw new RangeError('cut short');
    this.#at += bytes;
    return at;
  }
}

function serverNameOf(hello: Cut): string | undefined {
  // Version and random, session id, cipher suites, compression methods.
  hello.skip(34);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.left === 0) return undefined;
  const extensions = hello.vector(2);
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type !== serverNameExtension) continue;
    const names = content.vector(2);
    while (names.left > 0) {
      const kind = names.number(1);
      const name = names.vector(2);
      if (kind === hostNameType) return name.text();
    }
  }
  return undefined;
}
