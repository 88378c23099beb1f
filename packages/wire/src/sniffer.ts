import type { Address, Connection, ConnectionHandler, TlsSession } from '@heddle/kernel';
import { clientPreface } from './http2/index.ts';
import type { Sweepable } from './sweep.ts';
import type { HttpProtocol } from './tls/application-protocol.ts';

/** Who decides what becomes of a connection. */
export interface SnifferOwner {
  /** It is known what is spoken. Must open the connection before it returns. */
  spoken(sniffer: Sniffer, connection: Connection, protocol: HttpProtocol): void;
  /** It was closed for this reason, one of a fixed few. */
  refused(reason: string): void;
  /** It is over before that was known. */
  silent(sniffer: Sniffer): void;
}

/**
 * Looks at the first bytes of a connection before anybody owns it: those of HTTP/2 with prior knowledge are fixed
 * (RFC 9113 section 3.4), and no request of HTTP/1.1 begins with them. Nothing is consumed: the owner gets all bytes.
 */
export class Sniffer implements ConnectionHandler, Sweepable {
  readonly #connection: Connection;
  readonly #owner: SnifferOwner;
  readonly #deadlineMs: number;
  #held: Uint8Array[] = [];
  #matched = 0;
  #target: ConnectionHandler | undefined;

  /** `deadlineMs`: until when enough must have been said. */
  constructor(connection: Connection, owner: SnifferOwner, deadlineMs: number) {
    this.#connection = connection;
    this.#owner = owner;
    this.#deadlineMs = deadlineMs;
    connection.open(this);
  }

  /** Hands all events on from now on. */
  passTo(target: ConnectionHandler): void {
    this.#target = target;
  }

  data(chunk: Uint8Array): void {
    if (this.#target !== undefined) {
      this.#target.data(chunk);
      return;
    }
    this.#held.push(chunk);
    for (let at = 0; at < chunk.byteLength && this.#matched < clientPreface.byteLength; at++) {
      if (chunk[at] !== clientPreface[this.#matched]) {
        this.#decide('http1');
        return;
      }
      this.#matched++;
    }
    if (this.#matched === clientPreface.byteLength) this.#decide('http2');
  }

  end(): void {
    if (this.#target === undefined) this.destroy();
    else this.#target.end();
  }

  drain(): void {
    this.#target?.drain();
  }

  close(error: Error | undefined): void {
    if (this.#target === undefined) this.#owner.silent(this);
    else this.#target.close(error);
  }

  sweep(nowMs: number): void {
    if (nowMs <= this.#deadlineMs) return;
    this.#owner.refused('SILENT_CONNECTION');
    this.destroy();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #decide(protocol: HttpProtocol): void {
    this.#owner.spoken(this, new SniffedConnection(this.#connection, this), protocol);
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) this.#target?.data(chunk);
  }
}

/** The connection as its owner sees it: not opened yet, and nothing read. */
class SniffedConnection implements Connection {
  readonly local: Address;
  readonly remote: Address;
  readonly tls: TlsSession | undefined;
  readonly #connection: Connection;
  readonly #sniffer: Sniffer;

  constructor(connection: Connection, sniffer: Sniffer) {
    this.local = connection.local;
    this.remote = connection.remote;
    this.tls = connection.tls;
    this.#connection = connection;
    this.#sniffer = sniffer;
  }

  get pendingBytes(): number {
    return this.#connection.pendingBytes;
  }

  open(handler: ConnectionHandler): void {
    this.#sniffer.passTo(handler);
  }

  write(chunk: Uint8Array): boolean {
    return this.#connection.write(chunk);
  }

  writeAll(chunks: readonly Uint8Array[]): boolean {
    return this.#connection.writeAll(chunks);
  }

  end(): void {
    this.#connection.end();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  giveBack(chunk: Uint8Array): void {
    this.#connection.giveBack(chunk);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }
}
