import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { HeddleError } from '../error.ts';
import type { Address, Connection } from '../ports/net.ts';
import type { PeerCertificate, TlsConnectOptions, TlsMaterial } from '../ports/tls.ts';
import { ignore, SocketConnection } from './socket-connection.ts';
import { certificateFailure, tlsFailure } from './tls-failure.ts';
import { compileMaterial, unusable } from './tls-material.ts';
import { normalName } from './tls-names.ts';
import { describeCertificate, describeSession, problemNow, verdictOf } from './tls-session.ts';

/** What to resume, and who was at the other end: a resumed session does not tell. */
interface KnownSession {
  readonly ticket: Buffer;
  readonly certificate: PeerCertificate;
}

/** Sessions to resume with one material: never one of another identity, nor one from before a change of trust. */
const sessions = new WeakMap<TlsMaterial, Map<string, KnownSession>>();
const mostSessions = 256;

/** How to speak TLS with one address, checked. */
export interface TlsDial {
  readonly address: Address;
  /** A host name as it is compared, or an IP address. */
  readonly name: string;
  readonly options: TlsConnectOptions;
  readonly material: TlsMaterial;
}

/**
 * Throws `invalid_argument`: `SERVER_NAME_INVALID` for a name that no certificate can have, and as `compileMaterial`.
 */
export function checkDial(address: Address, options: TlsConnectOptions): TlsDial {
  const asked = options.serverName ?? address.host;
  const name = isIP(asked) > 0 ? asked : normalName(asked);
  const material = options.source.current;
  compileMaterial(material);
  if (name !== undefined) return { address, name, options, material };
  const what = `expected a host name in ASCII or an IP address to ask the server for, found ${JSON.stringify(asked)}`;
  throw unusable('SERVER_NAME_INVALID', what);
}

/** Does the handshake on a connected socket. `done` hears how it went, unless `cancel`, which it returns, came first. */
export function secure(
  raw: Socket,
  dial: TlsDial,
  done: (result: Connection | HeddleError) => void,
): () => void {
  const { address, name, options, material } = dial;
  const known = sessionsOf(material);
  const key = JSON.stringify([address.host, address.port, name, options.peerUri, options.alpn]);
  const session = known.get(key);
  const socket = connect({
    socket: raw,
    secureContext: compileMaterial(material).context,
    // RFC 6066 section 3: an address is no server name.
    servername: isIP(name) > 0 ? '' : name,
    ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
    ...(session === undefined ? {} : { session: session.ticket }),
    rejectUnauthorized: true,
    // `identify` asks that, and for a URI too.
    checkServerIdentity: () => undefined,
  });
  let settled = false;
  let server: PeerCertificate | undefined;
  let ticket: Buffer | undefined;
  const settle = (result: Connection | HeddleError): void => {
    if (settled) return;
    settled = true;
    // What did not work will not be tried again.
    if (result instanceof HeddleError) known.delete(key);
    if (result instanceof HeddleError) socket.destroy();
    done(result);
  };
  socket.on('error', ignore);
  socket.once('error', (error) => settle(tlsFailure(error, nameOf(dial))));
  socket.once('close', () => settle(tlsFailure(new Error('the peer closed the connection'), nameOf(dial))));
  socket.on('session', (fresh) => {
    ticket = fresh;
    if (server !== undefined) remember(known, key, { ticket, certificate: server });
  });
  socket.once('secureConnect', () => {
    if (settled) return;
    const found = identify(socket, dial, session?.certificate);
    if (found instanceof HeddleError) {
      settle(found);
      return;
    }
    server = found;
    if (ticket !== undefined) remember(known, key, { ticket, certificate: server });
    settle(new SocketConnection(socket, describeSession(socket, server)));
  });
  return () => {
    settled = true;
    socket.destroy();
  };
}

/**
 * Who the server is, if it is who it should be. Of a resumed session it is who it was when the session began: only the
 * one with the keys of that handshake can go on with it, and the session was kept for this name and this trust only.
 */
function identify(
  socket: TLSSocket,
  dial: TlsDial,
  before: PeerCertificate | undefined,
): PeerCertificate | HeddleError {
  const found = socket.getPeerX509Certificate();
  if (found === undefined) {
    if (!socket.isSessionReused() || before === undefined)
      return certificateFailure('NO_CERTIFICATE', nameOf(dial));
    return before.expiresAtMs < Date.now() ? certificateFailure('CERT_HAS_EXPIRED', nameOf(dial)) : before;
  }
  const problem = problemNow(found, verdictOf(socket));
  if (problem !== undefined) return certificateFailure(problem, nameOf(dial));
  const certificate = describeCertificate(found, undefined);
  const { peerUri } = dial.options;
  const isPeer = peerUri === undefined ? isNamed(found, dial.name) : certificate.uris.includes(peerUri);
  return isPeer ? certificate : mismatch(dial, [...certificate.dnsNames, ...certificate.uris], found);
}

/** By the alternative names alone; that a common name counts too is history (RFC 9525 section 2). */
function isNamed(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) > 0) return certificate.checkIP(name) !== undefined;
  return certificate.checkHost(name, { subject: 'never', partialWildcards: false }) !== undefined;
}

function mismatch(dial: TlsDial, names: readonly string[], { subjectAltName }: X509Certificate): HeddleError {
  const expected = dial.options.peerUri ?? dial.name;
  const found = names.length === 0 ? (subjectAltName ?? 'no names') : names.join(', ');
  const message = `TLS with ${nameOf(dial)}: expected a certificate for ${expected}, found one for ${found}; is it the right server?`;
  return new HeddleError({ code: 'unauthenticated', reason: 'NAME_MISMATCH', message, sent: false });
}

function sessionsOf(material: TlsMaterial): Map<string, KnownSession> {
  const known = sessions.get(material) ?? new Map<string, KnownSession>();
  sessions.set(material, known);
  return known;
}

/** The newest is last; when there are too many, the oldest goes. */
function remember(known: Map<string, KnownSession>, key: string, session: KnownSession): void {
  known.delete(key);
  known.set(key, session);
  const [oldest] = known.keys();
  if (known.size > mostSessions && oldest !== undefined) known.delete(oldest);
}

function nameOf({ address, name }: TlsDial): string {
  const where = `${address.host}:${address.port}`;
  return name === address.host ? where : `${where} (as ${name})`;
}
