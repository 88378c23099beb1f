import type { Socket } from 'node:net';
import type { Address, Connection, ConnectionHandler } from '../ports/net.ts';
import type { TlsSession } from '../ports/tls.ts';
import { plainBytes } from './plain-bytes.ts';
import { giveBackRead, takeRead } from './read-space.ts';
import { refusesOurs, tlsFailure } from './tls-failure.ts';

/** A socket as a `Connection`. It must not have begun to flow. */
export class SocketConnection implements Connection {
  readonly local: Address;
  readonly remote: Address;
  readonly tls: TlsSession | undefined;
  readonly passed: Connection['passed'];
  readonly #socket: Socket;
  #handler: ConnectionHandler | undefined;
  #heard = false;
  // Nothing more is to be written. Node would say so too, at twenty times the price; a write to a socket that broke
  // without our knowing it is dropped by Node.
  #ended = false;

  /** `tls`: what is known of a socket of TLS; one with it is a `TLSSocket`. */
  constructor(socket: Socket, tls?: TlsSession, passed?: Connection['passed']) {
    this.#socket = socket;
    this.tls = tls;
    this.passed = passed;
    this.local = { host: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    this.remote = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    // Until the owner listens: an unheard `error` event would end the process.
    socket.on('error', ignore);
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  open(handler: ConnectionHandler): void {
    const socket = this.#socket;
    let failure: Error | undefined;
    this.#handler = handler;
    socket.on('data', (chunk: Buffer) => {
      this.#heard = true;
      handler.data(plainBytes(chunk));
    });
    socket.on('end', () => handler.end());
    socket.on('drain', () => handler.drain());
    socket.on('error', (error) => {
      failure = error;
      this.#ended = true;
      // Node goes on after an alert of the peer's, to an end of stream that would hide it.
      socket.destroy();
    });
    socket.on('close', () => {
      this.#ended = true;
      handler.close(this.#explained(failure));
    });
    socket.resume();
  }

  /** So many bytes have come into `readSpace`: for a socket that reads there. */
  received(count: number): void {
    this.#handler?.data(takeRead(count));
  }

  write(chunk: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#ended) return false;
    // Node answers by the size of the chunk, even where the system has taken all of it already.
    return socket.write(chunk) || socket.writableLength === 0;
  }

  writeAll(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (this.#ended) return false;
    socket.cork();
    let more = true;
    for (const chunk of chunks) more = socket.write(chunk);
    socket.uncork();
    return more || socket.writableLength === 0;
  }

  end(): void {
    this.#ended = true;
    this.#socket.end();
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  giveBack(chunk: Uint8Array): void {
    giveBackRead(chunk);
  }

  pause(): void {
    this.#socket.pause();
    // Where `resume` has been called in this very turn, Node is still to begin reading, paused or not.
    process.nextTick(this.#pauseAgain);
  }

  resume(): void {
    this.#socket.resume();
  }

  readonly #pauseAgain = (): void => {
    if (this.#socket.isPaused()) this.#socket.pause();
  };

  /** What an alert of the peer's means; anything else as it is. */
  #explained(failure: Error | undefined): Error | undefined {
    const refused = this.tls !== undefined && failure !== undefined && refusesOurs(failure);
    // After its first bytes the peer cannot say that it has read none of ours.
    return refused && !this.#heard ? tlsFailure(failure, nameOf(this.remote)) : failure;
  }
}

/** For errors that have been taken care of, and those that come once nobody cares. */
export function ignore(): void {}

function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
}
