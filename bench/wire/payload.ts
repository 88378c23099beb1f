// What is sent: valid protobuf, so that a peer that decodes can take part, of a fixed size, so that others need not.

/** `message Payload { bytes body = 1; }`, 100 bytes encoded. */
export const unaryMessage: Buffer = Buffer.concat([Buffer.from([0x0a, 98]), Buffer.alloc(98, 'x')]);

/** `message StreamRequest { fixed32 count = 1; fixed32 size = 2; }` */
export function streamRequest(count: number, size: number): Buffer {
  const bytes = Buffer.from([0x0d, 0, 0, 0, 0, 0x15, 0, 0, 0, 0]);
  bytes.writeUInt32LE(count, 1);
  bytes.writeUInt32LE(size, 6);
  return bytes;
}

/** Reads one back. */
export function parseStreamRequest(bytes: Uint8Array): { readonly count: number; readonly size: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { count: view.getUint32(1, true), size: view.getUint32(6, true) };
}

/** A message of `size` bytes: a Payload whose body fills it. */
export function streamMessage(size: number): Buffer {
  const message = Buffer.alloc(size, 'x');
  message[0] = 0x0a;
  // Two bytes of length cover 128 to 16383 of body.
  message[1] = 0x80 | ((size - 3) & 0x7f);
  message[2] = (size - 3) >> 7;
  return message;
}

/** The five bytes of gRPC in front of a message. */
export function framed(message: Uint8Array): Buffer {
  // Out of Node's pool: a small Uint8Array of its own costs several times as much.
  const frame = Buffer.allocUnsafe(5 + message.byteLength);
  frame[0] = 0;
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, 5);
  return frame;
}

/** Splits a body into the messages in it; whatever is left over at the end is an error. */
export function unframed(body: Uint8Array): Uint8Array[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const messages: Uint8Array[] = [];
  let at = 0;
  while (at + 5 <= body.length) {
    const end = at + 5 + view.getUint32(at + 1);
    messages.push(body.subarray(at + 5, end));
    at = end;
  }
  if (at !== body.length) throw new Error(`the body of ${body.length} bytes ends within a message`);
  return messages;
}
