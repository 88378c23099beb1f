import type { HeadReader } from './head-reader.ts';
import type { MessageLimits } from './limits.ts';
import { MessageHead } from './message-head.ts';
import { latin1 } from './octets.ts';
import { refusal } from './refusal.ts';
import { RememberingHeadReader } from './remembering-head-reader.ts';
import { StatusLine } from './status-line.ts';

/** The head of a response, interim ones included. */
export interface ResponseHead {
  /** 100 to 599. */
  readonly status: number;
  readonly head: MessageHead;
  /** The server keeps the connection, as far as this head says. */
  readonly persistent: boolean;
}

/** Reads response heads, and refuses those that do not have exactly one meaning. */
export class ResponseHeadReader extends RememberingHeadReader<ResponseHead> {
  constructor(limits: MessageLimits) {
    const line = new StatusLine();
    super(limits, line, (reader) => understand(line, reader));
  }
}

function understand({ minor, status }: StatusLine, reader: HeadReader): ResponseHead {
  const head = new MessageHead(reader, latin1(reader.bytes, reader.start, reader.end));
  if (minor === 0 && head.chunked) {
    throw refusal('BAD_TRANSFER_ENCODING', 'there is Transfer-Encoding in a message of HTTP/1.0');
  }
  return { status, head, persistent: !head.close && (minor === 1 || head.keepAlive) };
}
