// Messages as AMQP 0-9-1 publishes them: specification of AMQP 0-9-1, sections 2.3.5 and 4.2, and "basic.publish".
import { HeddleError } from '@heddle/kernel';
import type { ConfirmChannel, Options } from 'amqplib';

/** What is to be published, and to which queue; or to an exchange. */
export interface Outgoing {
  readonly exchange?: string;
  readonly to: string;
  readonly content: Buffer;
  /** `mandatory`, so that one that has nowhere to go comes back. */
  readonly properties: Options.Publish;
}

const frame = { method: 1, header: 2, body: 3, end: 0xce };
const basic = 60;
const publish = 40;
const mandatory = 1;
const has = { contentType: 0x8000, headers: 0x2000, deliveryMode: 0x1000 };
const persistent = 2;
const overheadBytes = 8;
const mostInShortString = 255;
const longString = 'S'.charCodeAt(0);

interface OpenBuffer {
  readonly channel?: unknown;
  readonly buffer?: { write(bytes: Buffer): boolean };
}

/** What of a channel of amqplib is used here; its types do not tell of it. */
interface OpenChannel {
  readonly ch?: number;
  readonly connection?: {
    readonly frameMax?: number;
    readonly channels?: readonly (OpenBuffer | null)[];
    sentSinceLastCheck?: boolean;
  };
  pushConfirmCallback?(onConfirm: (error: unknown) => void): void;
}

/**
 * Publishes all as one piece, and calls `onConfirm` for each; false, and nothing is done, where amqplib is another than is
 * known here. It encodes and writes each message by itself, for which it takes longer than everything else takes together.
 */
export function publishTogether(
  channel: ConfirmChannel,
  all: readonly Outgoing[],
  onConfirm: (error: unknown) => void,
): boolean {
  const open = channel as OpenChannel;
  const { ch, connection } = open;
  const own = connection?.channels?.[ch ?? -1];
  // One that has been closed has no number any more, or another has it.
  if (ch === undefined || own?.channel !== channel || own.buffer === undefined) return false;
  if (connection?.frameMax === undefined || open.pushConfirmCallback === undefined) return false;
  own.buffer.write(framesOf(ch, connection.frameMax, all));
  connection.sentSinceLastCheck = true;
  for (let at = 0; at < all.length; at += 1) open.pushConfirmCallback(onConfirm);
  return true;
}

/** The frames that publish these on a channel: persistent and mandatory, with `headers` and `contentType`. */
export function framesOf(channel: number, frameMax: number, all: readonly Outgoing[]): Buffer {
  const bytes = all.reduce((sum, { content }) => sum + content.length + 700, 0);
  const out = new FrameWriter(channel, frameMax, bytes);
  for (const each of all) out.message(each);
  return out.written();
}

class FrameWriter {
  readonly #channel: number;
  readonly #mostBody: number;
  #buffer: Buffer;
  #at = 0;

  constructor(channel: number, frameMax: number, expectedBytes: number) {
    this.#channel = channel;
    this.#mostBody = frameMax - overheadBytes;
    this.#buffer = Buffer.allocUnsafe(expectedBytes);
  }

  message({ exchange = '', to, content, properties }: Outgoing): void {
    this.#frame(frame.method, () => {
      this.#number(basic, 2);
      this.#number(publish, 2);
      this.#number(0, 2);
      this.#text(exchange, 1);
      this.#text(to, 1);
      this.#number(mandatory, 1);
    });
    this.#frame(frame.header, () => {
      const { contentType, headers = {} } = properties;
      this.#number(basic, 2);
      this.#number(0, 2);
      this.#number(0, 4);
      this.#number(content.length, 4);
      this.#number(has.headers | has.deliveryMode | (contentType === undefined ? 0 : has.contentType), 2);
      if (contentType !== undefined) this.#text(contentType, 1);
      this.#sized(() => {
        for (const name in headers) {
          this.#text(name, 1);
          this.#number(longString, 1);
          this.#text(String(headers[name]), 4);
        }
      });
      this.#number(persistent, 1);
    });
    for (let from = 0; from < content.length; from += this.#mostBody)
      this.#frame(frame.body, () => this.#raw(content.subarray(from, from + this.#mostBody)));
  }

  written(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  #frame(type: number, payload: () => void): void {
    const begin = this.#at;
    this.#number(type, 1);
    this.#number(this.#channel, 2);
    this.#sized(payload);
    this.#number(frame.end, 1);
    if (this.#at - begin > this.#mostBody + overheadBytes)
      throw tooLarge(`headers of ${this.#at - begin} bytes`, this.#mostBody);
  }

  /** How long it is, in four bytes, and then what `write` writes. */
  #sized(write: () => void): void {
    const begin = this.#at;
    this.#number(0, 4);
    write();
    this.#buffer.writeUInt32BE(this.#at - begin - 4, begin);
  }

  #text(text: string, lengthBytes: number): void {
    const { length } = text;
    this.#room(length * 3 + 4);
    const begin = this.#at;
    const buffer = this.#buffer;
    let at = begin + lengthBytes;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        // Its characters have several bytes.
        at = begin + lengthBytes + buffer.write(text, begin + lengthBytes);
        break;
      }
      buffer[at++] = code;
    }
    const bytes = at - begin - lengthBytes;
    if (lengthBytes === 1 && bytes > mostInShortString)
      throw tooLarge(`a name of ${bytes} bytes`, mostInShortString);
    this.#at = begin;
    this.#number(bytes, lengthBytes);
    this.#at = at;
  }

  #number(value: number, bytes: number): void {
    this.#room(bytes);
    for (let shift = (bytes - 1) * 8; shift >= 0; shift -= 8) this.#buffer[this.#at++] = value >>> shift;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.byteLength);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

function tooLarge(found: string, most: number): HeddleError {
  const message = `a message cannot be sent: RabbitMQ takes ${most} bytes at most here, found ${found}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_MESSAGE', message, sent: false });
}
