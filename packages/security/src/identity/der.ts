// As much of DER (ITU-T X.690) as certificates and requests for them take.

/** One element: its tag, its content, and itself as it was written. */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** Tags. */
export const tag: Readonly<
  Record<'boolean' | 'integer' | 'bits' | 'octets' | 'oid' | 'utf8' | 'time' | 'sequence' | 'set', number>
> = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
};

/** An element around that content. */
export function der(ofTag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.concat(content);
  return Buffer.concat([Uint8Array.of(ofTag), lengthOf(bytes.length), bytes]);
}

/** Elements one after another. */
export function sequence(...content: readonly Uint8Array[]): Uint8Array {
  return der(tag.sequence, ...content);
}

/** An object identifier, `1.2.840.10045.4.3.2`. */
export function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return der(tag.oid, Uint8Array.from(bytes));
}

/** A positive whole number of exactly that many bytes, made of these: its first two bits are not theirs. */
export function serialNumber(bytes: Uint8Array): Uint8Array {
  return der(tag.integer, Uint8Array.of(((bytes[0] ?? 0) & 0x3f) | 0x40, ...bytes.subarray(1)));
}

/** Bits, of which all bytes are full. */
export function bits(bytes: Uint8Array): Uint8Array {
  return der(tag.bits, Uint8Array.of(0), bytes);
}

/** A moment, to the second. */
export function time(ms: number): Uint8Array {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(tag.time, Buffer.from(text, 'latin1'));
}

/** The elements in these bytes. Throws a RangeError for what is none, or is cut off. */
export function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    found.push(element);
    at += element.whole.length;
  }
  return found;
}

function elementAt(bytes: Uint8Array, at: number): Element {
  const first = bytes[at + 1] ?? 0x80;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  let length = first;
  if (lengthBytes > 0) {
    length = 0;
    for (let each = 0; each < lengthBytes; each++) length = length * 256 + (bytes[at + 2 + each] ?? 0);
  }
  const start = at + 2 + lengthBytes;
  const end = start + length;
  if (first === 0x80 || lengthBytes > 4 || end > bytes.length)
    throw new RangeError(`no element of DER at byte ${at}`);
  return { tag: bytes[at] ?? 0, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) };
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

/** As PEM has it. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The first block of that label; undefined where there is none. */
export function fromPem(label: string, text: string): Uint8Array | undefined {
  const found = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(text);
  return found === null ? undefined : Buffer.from(found[1] ?? '', 'base64');
}
