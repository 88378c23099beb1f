// How the conformance runner talks to the programs it starts: messages behind their length, four bytes, big-endian.
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';

/** The messages that come in, until it ends. Rejects when it ends within one. */
export async function* delimited<Desc extends DescMessage>(
  schema: Desc,
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<Desc>, void> {
  let held = Buffer.alloc(0);
  for await (const chunk of input) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const end = 4 + held.readUInt32BE(0);
      yield fromBinary(schema, held.subarray(4, end));
      held = held.subarray(end);
    }
  }
  if (held.length > 0) throw new Error(`the input ends with ${held.length} bytes of an unfinished message`);
}

/** One message to go out, in one piece, so that those of several at work do not mix. */
export function delimit<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  const bytes = toBinary(schema, message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
