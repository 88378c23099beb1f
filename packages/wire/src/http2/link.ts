import type { AbuseGuard } from './abuse-guard.ts';
import type { ErrorCode } from './error-code.ts';
import type { HeaderWriter } from './header-writer.ts';
import type { Http2Limits } from './limits.ts';
import type { Output } from './output.ts';
import type { PeerSettings } from './settings.ts';

/** Something that has content to send and waits for its turn on the connection. */
export interface Sender {
  /** It waits in the link's queue. For the link alone. */
  queued: boolean;
  /** Sends on, as far as windows and socket allow. */
  proceed(): void;
}

/** What a stream knows of the connection that it is on. */
export interface Link {
  readonly limits: Http2Limits;
  readonly peer: PeerSettings;
  readonly guard: AbuseGuard;
  readonly output: Output;
  readonly headerWriter: HeaderWriter;
  /** What the peer will take on the connection as a whole; a sender takes off what it sends. */
  sendWindow: number;
  /** So many bytes of content have been read or dropped: the peer may send as many more. */
  credit(bytes: number): void;
  /** The sender goes on when the connection's window, the socket or its turn allow it. */
  queueSend(sender: Sender): void;
  /** Writes RST_STREAM, and remembers that frames, with up to so much content, may still be on their way. */
  sendReset(streamId: number, code: ErrorCode, onItsWayBytes?: number): void;
  /** The stream is over: it counts no more. */
  forget(streamId: number): void;
}
