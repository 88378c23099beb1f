import type { Connection, ConnectionHandler } from '@heddle/kernel';
import { clientPreface } from './http2/frame.ts';

/** Hears what a connection turned out to be. One of the two is called, once. */
export interface SniffListener {
  /** Called within the turn in which enough has come. The connection is as if it had not been opened. */
  decided(connection: Connection, http2: boolean): void;
  /** It closed before it had said enough. */
  closed(): void;
}

/**
 * Tells HTTP/2 with prior knowledge (RFC 9113 section 3.3) from HTTP/1.1 by the first bytes: the preface differs from
 * every request line that is of use. How long that may take is for the caller to limit.
 */
export function sniffHttp2(connection: Connection, listener: SniffListener): void {
  let begun = Buffer.alloc(0);
  let owner: ConnectionHandler | undefined;
  const decide = (http2: boolean): void => {
    listener.decided(
      reopened(connection, (handler) => {
        owner = handler;
      }),
      http2,
    );
    owner?.data(begun);
  };
  connection.open({
    data(chunk) {
      if (owner !== undefined) return owner.data(chunk);
      begun = Buffer.concat([begun, chunk]);
      const length = Math.min(begun.byteLength, clientPreface.length);
      const same = begun.subarray(0, length).equals(clientPreface.subarray(0, length));
      if (!same || length === clientPreface.length) decide(same);
    },
    end() {
      // A peer that has said nothing, or half a preface, and has no more to say.
      if (owner === undefined) connection.destroy();
      else owner.end();
    },
    drain: () => owner?.drain(),
    close(error) {
      if (owner === undefined) listener.closed();
      else owner.close(error);
    },
  });
}

/** The connection once more, for an owner that opens it itself. */
function reopened(connection: Connection, open: (handler: ConnectionHandler) => void): Connection {
  return {
    local: connection.local,
    remote: connection.remote,
    open,
    write: (chunk) => connection.write(chunk),
    get pendingBytes() {
      return connection.pendingBytes;
    },
    end: () => connection.end(),
    destroy: () => connection.destroy(),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
  };
}
