import { constants, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Connection } from '../ports/net.ts';
import type {
  ClientCertificates,
  TlsByNameOptions,
  TlsIdentification,
  TlsListenOptions,
  TlsMaterial,
  TlsSource,
} from '../ports/tls.ts';
import { firstBytes, handshakeRecord } from './client-hello.ts';
import { ignore, SocketConnection } from './socket-connection.ts';
import { certificateFailure, tlsFailure } from './tls-failure.ts';
import { compileMaterial, unusable } from './tls-material.ts';
import { normalName } from './tls-names.ts';
import { coverOf, describeCertificate, describeSession, problemNow, verdictOf } from './tls-session.ts';

// A key that leaks opens what was sent with its tickets in TLS 1.2, so it does not live long. Sessions live 5 minutes.
const ticketKeyMs = 3_600_000;
const ticketKeyBytes = 48;

/** `Server` of one material: its certificates, whom it lets in, and keys for tickets that no other server takes. */
interface Era {
  readonly material: TlsMaterial;
  readonly clients: ClientCertificates;
  readonly server: Server;
  ticketKeysSinceMs: number;
}

/** Handshakes of one listener. Each is begun with the material of the moment. */
export class TlsAcceptor {
  readonly #options: TlsListenOptions | TlsByNameOptions;
  readonly #accept: (connection: Connection) => void;
  /** By the peer's address, since Node does not tell which socket a TLS socket was made from. */
  readonly #pending = new Map<string, Socket>();
  readonly #eras = new WeakMap<TlsSource, Era>();
  readonly #unusable = new WeakMap<TlsSource, TlsMaterial>();

  /** `accept` gets each connection whose handshake is done. Throws `invalid_argument` for material that cannot be used. */
  constructor(options: TlsListenOptions | TlsByNameOptions, accept: (connection: Connection) => void) {
    this.#options = options;
    this.#accept = accept;
    if ('source' in options) this.#eras.set(options.source, this.#begin(options));
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
    const options = this.#options;
    if ('choose' in options) this.#look(socket, (bytes) => this.#chosen(socket, peer, bytes, options));
    else if (options.plaintext === true)
      this.#look(socket, (bytes) => this.#plainOrNot(socket, peer, bytes, options));
    else this.#handshake(socket, options);
  }

  #handshake(socket: Socket, identification: TlsIdentification): void {
    const era = this.#eraOf(identification);
    if (era === undefined) socket.destroy();
    else era.server.emit('connection', socket);
  }

  /**
   * Waits for the first bytes, until `decide` knows enough of them: it then gives what is to be done with the socket.
   * Whoever gets that reads them again.
   */
  #look(socket: Socket, decide: (bytes: Uint8Array) => (() => void) | undefined): void {
    const { handshakeMs = 10_000 } = this.#options;
    const limit = setTimeout(() => {
      this.#refused('TLS_HANDSHAKE_TIMEOUT');
      socket.destroy();
    }, handshakeMs);
    const closed = (): void => clearTimeout(limit);
    socket.once('close', closed);
    // It is over before it has begun.
    const ended = (): unknown => socket.destroy();
    socket.once('end', ended);
    let bytes: Buffer = Buffer.alloc(0);
    const gather = (chunk: Buffer): void => {
      bytes = bytes.byteLength === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const next = decide(bytes);
      if (next === undefined) return;
      clearTimeout(limit);
      socket.off('data', gather);
      socket.off('end', ended);
      socket.off('close', closed);
      socket.pause();
      socket.unshift(bytes);
      next();
    };
    socket.on('data', gather);
  }

  #plainOrNot(socket: Socket, peer: string, bytes: Uint8Array, options: TlsListenOptions): () => void {
    return () => {
      if (bytes[0] === handshakeRecord) {
        this.#handshake(socket, options);
        return;
      }
      this.#settled(peer, socket);
      this.#accept(new SocketConnection(socket));
    };
  }

  #chosen(
    socket: Socket,
    peer: string,
    bytes: Uint8Array,
    options: TlsByNameOptions,
  ): (() => void) | undefined {
    const first = firstBytes(bytes);
    if (first.kind === 'more') return undefined;
    return () => {
      if (first.kind === 'other') {
        socket.destroy();
        this.#refused('NO_HANDSHAKE');
        return;
      }
      const serverName = normalName(first.serverName ?? '');
      const taker = options.choose(serverName);
      if (taker === undefined) {
        socket.destroy();
        this.#refused('SERVER_NAME_UNKNOWN');
      } else if (taker === 'pass') {
        this.#settled(peer, socket);
        this.#accept(new SocketConnection(socket, undefined, { serverName }));
      } else this.#handshake(socket, taker);
    };
  }

  /** Drops the handshakes that are not done. */
  close(): void {
    for (const socket of this.#pending.values()) socket.destroy();
  }

  /**
   * The server of the moment: takes up new material, or new keys when the old are due. Material that cannot be used changes
   * nothing; undefined where there was none before.
   */
  #eraOf(identification: TlsIdentification): Era | undefined {
    const { source, clients = 'off' } = identification;
    const { current } = source;
    let era = this.#eras.get(source);
    if (
      (current !== era?.material || clients !== era.clients) &&
      (current !== this.#unusable.get(source) || clients !== era?.clients)
    ) {
      try {
        era = this.#begin(identification);
        this.#eras.set(source, era);
      } catch {
        this.#unusable.set(source, current);
        this.#refused('CERTIFICATE_INVALID');
        // Whom it lets in is not to be less strict than what is said now.
        if (clients !== era?.clients) return undefined;
      }
    }
    if (era === undefined || performance.now() - era.ticketKeysSinceMs < ticketKeyMs) return era;
    era.ticketKeysSinceMs = performance.now();
    era.server.setTicketKeys(randomBytes(ticketKeyBytes));
    return era;
  }

  #begin({ source: { current: material }, clients = 'off' }: TlsIdentification): Era {
    const { alpn = [], handshakeMs = 10_000 } = this.#options;
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
    server.on('secureConnection', (socket) => this.#secured(socket, clients));
    server.on('tlsClientError', (error, socket) => {
      socket.on('error', ignore);
      this.#refused(reasonOf(error, socket));
      // Node leaves one open that has run out of time.
      socket.destroy();
    });
    return { material, clients, server, ticketKeysSinceMs: performance.now() };
  }

  #secured(socket: TLSSocket, clients: ClientCertificates): void {
    const peer = peerOf(socket);
    this.#settled(peer, this.#pending.get(peer));
    const found = clients === 'off' ? undefined : socket.getPeerX509Certificate();
    const problem = found === undefined ? undefined : problemNow(found, verdictOf(socket));
    // Looked at for resumed sessions too, which Node lets in without a certificate, or with one that has expired since.
    const isMissing = clients === 'require' && found === undefined;
    const isBad = (clients === 'require' || clients === 'optional') && problem !== undefined;
    if (isMissing || isBad) {
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
