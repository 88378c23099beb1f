import { constants, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Connection } from '../ports/net.ts';
import type { TlsListenOptions, TlsMaterial } from '../ports/tls.ts';
import { ignore, SocketConnection } from './socket-connection.ts';
import { certificateFailure, tlsFailure } from './tls-failure.ts';
import { compileMaterial, unusable } from './tls-material.ts';
import { coverOf, describeCertificate, describeSession, problemNow, verdictOf } from './tls-session.ts';

// A key that leaks opens what was sent with its tickets in TLS 1.2, so it does not live long. Sessions live 5 minutes.
const ticketKeyMs = 3_600_000;
const ticketKeyBytes = 48;
/** The type of the record that every TLS connection begins with (RFC 8446 section 5.1). */
const handshakeRecord = 22;

/** `Server` of one material: its certificates, whom it lets in, and keys for tickets that no other server takes. */
interface Era {
  readonly material: TlsMaterial;
  readonly server: Server;
  ticketKeysSinceMs: number;
}

/** Handshakes of one listener. Each is begun with the material of the moment. */
export class TlsAcceptor {
  readonly #options: TlsListenOptions;
  readonly #accept: (connection: Connection) => void;
  /** By the peer's address, since Node does not tell which socket a TLS socket was made from. */
  readonly #pending = new Map<string, Socket>();
  #era: Era;
  #unusable: TlsMaterial | undefined;

  /** `accept` gets each connection whose handshake is done. Throws `invalid_argument` for material that cannot be used. */
  constructor(options: TlsListenOptions, accept: (connection: Connection) => void) {
    this.#options = options;
    this.#accept = accept;
    this.#era = this.#begin(options.source.current);
  }

  /** Begins a handshake. `socket` was accepted in this very turn. */
  take(socket: Socket): void {
    socket.on('error', ignore);
    if (this.#pending.size >= (this.#options.handshakes ?? 1000)) {
      socket.destroy();
      this.#refused('TOO_MANY_HANDSHAKES');
      return;
    }
    const peer = peerOf(socket);
    this.#pending.set(peer, socket);
    socket.once('close', () => this.#settled(peer, socket));
    if (this.#options.plaintext === true) this.#look(socket, peer);
    else this.#handshake(socket);
  }

  #handshake(socket: Socket): void {
    this.#renew();
    this.#era.server.emit('connection', socket);
  }

  /** Waits for the first bytes, which a handshake of TLS begins with a byte of its own. Whoever gets the socket reads them. */
  #look(socket: Socket, peer: string): void {
    const { handshakeMs = 10_000 } = this.#options;
    const leave = (): void => {
      this.#refused('TLS_HANDSHAKE_TIMEOUT');
      socket.destroy();
    };
    const limit = setTimeout(leave, handshakeMs);
    socket.once('close', () => clearTimeout(limit));
    // It is over before it has begun.
    const ended = (): unknown => socket.destroy();
    socket.once('end', ended);
    socket.once('data', (chunk: Buffer) => {
      clearTimeout(limit);
      socket.off('end', ended);
      socket.pause();
      socket.unshift(chunk);
      if (chunk[0] === handshakeRecord) {
        this.#handshake(socket);
        return;
      }
      this.#settled(peer, socket);
      this.#accept(new SocketConnection(socket));
    });
  }

  /** Drops the handshakes that are not done. */
  close(): void {
    for (const socket of this.#pending.values()) socket.destroy();
  }

  /** Takes up new material, or new keys when the old are due. Material that cannot be used changes nothing. */
  #renew(): void {
    const { current } = this.#options.source;
    if (current !== this.#era.material && current !== this.#unusable) {
      try {
        this.#era = this.#begin(current);
      } catch {
        this.#unusable = current;
        this.#refused('CERTIFICATE_INVALID');
      }
    }
    if (performance.now() - this.#era.ticketKeysSinceMs < ticketKeyMs) return;
    this.#era.ticketKeysSinceMs = performance.now();
    this.#era.server.setTicketKeys(randomBytes(ticketKeyBytes));
  }

  #begin(material: TlsMaterial): Era {
    const { clients = 'off', alpn = [], handshakeMs = 10_000 } = this.#options;
    const compiled = compileMaterial(material);
    if (material.identities.length === 0)
      throw unusable('CERTIFICATE_INVALID', 'a server needs at least one identity');
    if (clients !== 'off' && material.trust === undefined)
      throw unusable('TRUST_MISSING', 'asking clients for certificates needs `trust`, whom to believe');
    const server = createServer({
      ...compiled.options,
      ALPNProtocols: alpn,
      allowHalfOpen: true,
      handshakeTimeout: handshakeMs,
      requestCert: clients !== 'off',
      rejectUnauthorized: clients === 'require',
      // Renegotiation (TLS 1.2) costs the server a handshake for each request of a client; nobody needs it.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      // An exception here would end the process (CVE-2026-21637); `find` takes any text.
      SNICallback: (name, use) => use(null, compiled.find(name)),
      ticketKeys: randomBytes(ticketKeyBytes),
    });
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => {
      socket.on('error', ignore);
      this.#refused(reasonOf(error, socket));
      // Node leaves one open that has run out of time.
      socket.destroy();
    });
    return { material, server, ticketKeysSinceMs: performance.now() };
  }

  #secured(socket: TLSSocket): void {
    const peer = peerOf(socket);
    this.#settled(peer, this.#pending.get(peer));
    const found = this.#options.clients === 'off' ? undefined : socket.getPeerX509Certificate();
    const problem = found === undefined ? undefined : problemNow(found, verdictOf(socket));
    // Looked at for resumed sessions too, which Node lets in without a certificate, or with one that has expired since.
    if (this.#options.clients === 'require' && (found === undefined || problem !== undefined)) {
      socket.on('error', ignore);
      socket.destroy();
      this.#refused(problem === undefined ? 'CERTIFICATE_MISSING' : certificateFailure(problem, peer).reason);
      return;
    }
    const certificate = found === undefined ? undefined : describeCertificate(found, problem);
    const session = { ...describeSession(socket, certificate), covers: coverOf(socket) };
    this.#accept(new SocketConnection(socket, session));
  }

  #settled(peer: string, socket: Socket | undefined): void {
    if (socket !== undefined && this.#pending.get(peer) === socket) this.#pending.delete(peer);
  }

  #refused(reason: string): void {
    this.#options.refused?.(reason);
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function reasonOf(error: NodeJS.ErrnoException, socket: TLSSocket): string {
  const peer = peerOf(socket);
  if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'TLS_HANDSHAKE_TIMEOUT';
  if (error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'CERTIFICATE_MISSING';
  // Node drops a client with a bad certificate without an error; what was bad is on the socket.
  const verdict = verdictOf(socket);
  return (verdict === undefined ? tlsFailure(error, peer) : certificateFailure(verdict, peer)).reason;
}
