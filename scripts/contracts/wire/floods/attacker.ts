// What an attacker does with a socket.
import { connect, type Socket } from 'node:net';

/** What one does; `Attacker` has the means. The connection must be closed by the server in the end. */
export interface Attack {
  readonly name: string;
  /** How the server answers the attacker's plain requests. Default: with nothing, at once. */
  readonly answer?: 'nothing' | 'never';
  /** Connections at a time. Default 1. */
  readonly connections?: number;
  /** What the server's process may grow by. Default 64 MiB. */
  readonly mostGrowthMib?: number;
  /** Whether a counter of the server must tell of it. Default true. */
  readonly counted?: boolean;
  readonly act: (attacker: Attacker) => Promise<void> | void;
  /**
   * Throws unless what the server said is what it should have. Bytes as they came, empty where nothing was read; and
   * the code that the server's log has for this peer, since a connection may be reset before its end was read.
   */
  readonly judge: (said: Buffer, logged: string | undefined) => void;
}

const mostSaid = 4 * 1024 * 1024;
const batchBytes = 16 * 1024;

/** One connection to the server. */
export class Attacker {
  /** Resolves with what the server said, when it has closed the connection; rejects if that takes too long. */
  readonly closed: Promise<Buffer>;
  /** Our own end's port; 0 before the connection is made. */
  port = 0;
  readonly #socket: Socket;
  readonly #said: Buffer[] = [];

  constructor(port: number, limitMs: number) {
    const socket = connect({ host: '127.0.0.1', port });
    this.#socket = socket;
    let saidBytes = 0;
    socket.on('connect', () => (this.port = socket.localPort ?? 0));
    socket.on('data', (chunk: Buffer) => {
      if ((saidBytes += chunk.length) < mostSaid) this.#said.push(chunk);
    });
    this.closed = new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error(`the attacker's connection is still open after ${limitMs} ms`));
        socket.destroy();
      }, limitMs);
      // That the server resets the connection while we still write is its right; what it said is looked at later.
      socket.on('error', () => {});
      socket.on('end', () => socket.end());
      socket.on('close', () => {
        clearTimeout(late);
        resolve(Buffer.concat(this.#said));
      });
    });
  }

  /** Sends it once. */
  send(...bytes: readonly (Uint8Array | string)[]): void {
    for (const each of bytes)
      this.#socket.write(typeof each === 'string' ? Buffer.from(each, 'latin1') : each);
  }

  /** Sends turn after turn, as fast as the server takes them, until it closes the connection or `most` are sent. */
  flood(turn: (turn: number) => readonly Uint8Array[], most = 200_000): void {
    const socket = this.#socket;
    let turns = 0;
    const more = (): void => {
      if (!socket.writable || turns >= most) return;
      const some: Uint8Array[] = [];
      let bytes = 0;
      while (bytes < batchBytes) {
        const next = turn(turns++);
        some.push(...next);
        bytes += next.reduce((sum, each) => sum + each.length, 0);
      }
      // Not at once: what the system takes without waiting needs no turn of the loop, and so nothing would be read.
      if (socket.write(Buffer.concat(some))) setImmediate(more);
    };
    socket.on('drain', more);
    socket.once('connect', more);
  }

  /** Sends so little, again and again, until the connection is closed. */
  trickle(bytes: string, everyMs: number): void {
    const timer = setInterval(() => this.#socket.write(bytes), everyMs);
    this.#socket.once('close', () => clearInterval(timer));
    this.#socket.once('end', () => clearInterval(timer));
  }

  /** Goes away without a word. */
  leave(): void {
    this.#socket.destroy();
  }

  /** Reads nothing from now on, so long: the buffers of both systems fill up, and then the server has to wait. */
  stopReading(forMs: number): void {
    this.#socket.pause();
    // Reads again in the end: only who reads learns that the connection was closed.
    const timer = setTimeout(() => this.#socket.resume(), forMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }
}
