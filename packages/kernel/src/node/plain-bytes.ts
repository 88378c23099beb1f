/**
 * The same memory as a plain `Uint8Array`. A `Buffer` is one by type only: its `slice` shares memory where that of a
 * `Uint8Array` copies, so code that is right on every other port would corrupt data on this one.
 */
export function plainBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
