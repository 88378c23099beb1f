import { HeddleError } from '@heddle/kernel';
import { type Body, wholeBytes } from '../message/body.ts';
import type { Compression } from './compression.ts';
import { MessageReader } from './framing.ts';

/** How the messages of one body are read. */
export interface MessageReading {
  /** Largest message that is taken, before and after decompression. */
  readonly limitBytes: number;
  /** What marked messages are compressed by. Without it a marked message is an error. */
  readonly compression?: Compression | undefined;
  /** Told of each message, before it is given, whether it was compressed. */
  readonly onMessage?: ((compressed: boolean) => void) | undefined;
  /** For bodies whose last envelope says how the call ended: what marks it, and who takes its content. */
  readonly end?: { readonly flag: number; readonly take: (content: Uint8Array) => void };
}

/**
 * The messages of a body, one by one as they are asked for: not asking is back-pressure. Leaving the loop cancels the
 * rest. Rejects as the body does, and for bad framing.
 */
export async function* messagesOf(body: Body, reading: MessageReading): AsyncGenerator<Uint8Array, void> {
  const reader = new MessageReader(reading.limitBytes, reading.end?.flag);
  let whole = false;
  try {
    for await (const chunk of body) {
      reader.push(chunk);
      for (let message = nextOf(reader); message !== undefined; message = nextOf(reader)) {
        if (reader.last) await takeEnd(message, reader, reading);
        else {
          reading.onMessage?.(reader.compressed);
          yield reader.compressed ? await decompressed(message, reading) : message;
        }
      }
    }
    whole = true;
    reader.end();
  } finally {
    if (!whole) body.cancel();
  }
}

/**
 * All messages of a body that should hold few; the way of unary calls. At most one more than `most` is gathered, so
 * that the caller sees that there are too many.
 */
export async function fewMessagesOf(
  body: Body,
  reading: MessageReading,
  most: number,
): Promise<Uint8Array[]> {
  const bytes = wholeBytes(body);
  if (bytes !== undefined) return fewMessagesIn(bytes, reading, most);
  const messages: Uint8Array[] = [];
  for await (const message of messagesOf(body, reading)) {
    messages.push(message);
    if (messages.length > most) break;
  }
  return messages;
}

async function fewMessagesIn(
  bytes: Uint8Array,
  reading: MessageReading,
  most: number,
): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  const reader = new MessageReader(reading.limitBytes, reading.end?.flag);
  reader.push(bytes);
  for (let message = nextOf(reader); message !== undefined; message = nextOf(reader)) {
    if (reader.last) {
      await takeEnd(message, reader, reading);
      continue;
    }
    reading.onMessage?.(reader.compressed);
    messages.push(reader.compressed ? await decompressed(message, reading) : message);
    if (messages.length > most) return messages;
  }
  reader.end();
  return messages;
}

/** As the reader's own, which goes on for ever: behind the last envelope there is nothing. */
function nextOf(reader: MessageReader): Uint8Array | undefined {
  const ended = reader.last;
  const message = reader.next();
  if (!ended || message === undefined) return message;
  const text = 'there is something behind the envelope that ends the stream';
  throw new HeddleError({ code: 'internal', reason: 'BEHIND_THE_END', message: text });
}

async function takeEnd(content: Uint8Array, reader: MessageReader, reading: MessageReading): Promise<void> {
  reading.end?.take(reader.compressed ? await decompressed(content, reading) : content);
}

function decompressed(message: Uint8Array, reading: MessageReading): Promise<Uint8Array> {
  const { compression, limitBytes } = reading;
  if (compression !== undefined) return compression.decompress(message, limitBytes);
  const text = 'a message is marked as compressed, and no field of the request or answer says by what';
  throw new HeddleError({ code: 'internal', reason: 'UNNAMED_COMPRESSION', message: text });
}
