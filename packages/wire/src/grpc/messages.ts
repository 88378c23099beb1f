import { type Body, wholeBytes } from '../message/body.ts';
import { MessageReader } from './framing.ts';

/**
 * The messages of a body, one by one as they are asked for: not asking is back-pressure. Leaving the loop cancels the
 * rest. Rejects as the body does, and for bad framing.
 */
export async function* messagesOf(body: Body, limitBytes: number): AsyncGenerator<Uint8Array, void> {
  const reader = new MessageReader(limitBytes);
  let whole = false;
  try {
    for await (const chunk of body) {
      reader.push(chunk);
      for (let message = reader.next(); message !== undefined; message = reader.next()) yield message;
    }
    whole = true;
    reader.end();
  } finally {
    if (!whole) body.cancel();
  }
}

/** All messages of a body that should hold few; the way of unary calls. At most `most` are gathered. */
export async function fewMessagesOf(body: Body, limitBytes: number, most: number): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  const bytes = wholeBytes(body);
  if (bytes !== undefined) {
    const reader = new MessageReader(limitBytes);
    reader.push(bytes);
    for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
    reader.end();
    return messages;
  }
  for await (const message of messagesOf(body, limitBytes)) {
    messages.push(message);
    if (messages.length > most) break;
  }
  return messages;
}
