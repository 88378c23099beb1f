import { create, type DescMessage, type Message, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { frame } from '@heddle/wire';
import { encoderOf } from './encoder.ts';
import { MessageWriter } from './message-writer.ts';

/** Of gRPC's envelope: a byte of flags and four of length. */
export const headBytes = 5;

const writer = new MessageWriter();

/**
 * A message in protobuf's binary format with gRPC's head before it, in one piece of memory. What it throws for a value
 * that does not fit its field is protobuf-es's error.
 */
export function encodeFramed<Desc extends DescMessage>(
  schema: Desc,
  init: MessageInitShape<Desc>,
): Uint8Array {
  const message: Message = create(schema, init);
  return quickly(schema, message) ?? frame(toBinary(schema, message as never));
}

function quickly(schema: DescMessage, message: Message): Uint8Array | undefined {
  const encode = encoderOf(schema);
  if (encode === undefined) return undefined;
  writer.begin(headBytes);
  try {
    encode(writer, message);
  } catch {
    // Whatever it was: the long way either knows better, or says what is wrong.
    return undefined;
  }
  const framed = writer.take();
  const length = framed.byteLength - headBytes;
  framed[0] = 0;
  framed[1] = length >>> 24;
  framed[2] = length >>> 16;
  framed[3] = length >>> 8;
  framed[4] = length;
  return framed;
}
