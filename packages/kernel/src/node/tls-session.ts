import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsSession } from '../ports/tls.ts';
import { plainBytes } from './plain-bytes.ts';
import { alternativeNames, normalName } from './tls-names.ts';

/** What the handshake of a socket has found out. `certificate`: the peer's, with the verdict on it. */
export function describeSession(socket: TLSSocket, certificate: PeerCertificate | undefined): TlsSession {
  const { alpnProtocol, servername } = socket as TLSSocket & { servername?: string | false | null };
  return {
    version: socket.getProtocol() === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3',
    alpn: typeof alpnProtocol === 'string' ? alpnProtocol : undefined,
    serverName: typeof servername === 'string' ? (normalName(servername) ?? servername) : undefined,
    resumed: socket.isSessionReused(),
    certificate,
  };
}

const hostRules = { subject: 'never', partialWildcards: false } as const;

/** Whether the certificate that a server has shown on this socket is for a host. Most connections ask for one only. */
export function coverOf(socket: TLSSocket): (host: string) => boolean {
  const shown = socket.getX509Certificate();
  let last: { readonly host: string; readonly covered: boolean } | undefined;
  return (host) => {
    if (last?.host !== host) {
      const found = isIP(host) === 0 ? shown?.checkHost(host, hostRules) : shown?.checkIP(host);
      last = { host, covered: found !== undefined };
    }
    return last.covered;
  };
}

/** A certificate's contents. `problem`: why it may not be believed, if so. */
export function describeCertificate(
  certificate: X509Certificate,
  problem: string | undefined,
): PeerCertificate {
  const names = alternativeNames(certificate.subjectAltName);
  return {
    verified: problem === undefined,
    problem,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject ?? '',
    dnsNames: (names.get('DNS') ?? []).map((name) => name.toLowerCase()),
    uris: names.get('URI') ?? [],
    expiresAtMs: Date.parse(certificate.validTo),
    der: plainBytes(certificate.raw),
  };
}

/** OpenSSL's word for what is wrong with the peer's certificate: Node types it as an error, and gives its code. */
export function verdictOf({ authorized, authorizationError }: TLSSocket): string | undefined {
  if (authorized || authorizationError === null || authorizationError === undefined) return undefined;
  const verdict: unknown = authorizationError;
  return verdict instanceof Error ? verdict.message : JSON.stringify(verdict).replaceAll('"', '');
}

/**
 * The verdict of the handshake on the peer's certificate, brought up to date: that of a resumed session is as old as
 * the session, and what was valid then may have expired since.
 */
export function problemNow(certificate: X509Certificate, verdict: string | undefined): string | undefined {
  if (verdict !== undefined) return verdict;
  return Date.parse(certificate.validTo) < Date.now() ? 'CERT_HAS_EXPIRED' : undefined;
}
