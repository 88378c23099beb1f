import { HeddleError, type TlsSession } from '@heddle/kernel';

/** A version of HTTP, as far as a connection is concerned. */
export type HttpProtocol = 'http1' | 'http2';

/** Their names in ALPN (RFC 9112 section 12.4, RFC 9113 section 3.1), the most liked first. */
const names = { http2: 'h2', http1: 'http/1.1' } as const;

/** What to offer or to accept. */
export function alpnOf(protocols: 'auto' | HttpProtocol): readonly string[] {
  return protocols === 'auto' ? [names.http2, names.http1] : [names[protocols]];
}

/** What a handshake has agreed on; undefined if a side did not speak of it. */
export function agreedProtocol(tls: TlsSession | undefined): HttpProtocol | undefined {
  if (tls?.alpn === names.http2) return 'http2';
  return tls?.alpn === names.http1 ? 'http1' : undefined;
}

/**
 * What a client speaks on a connection whose handshake is done. HTTP/2 is never guessed at over TLS (RFC 9113 section
 * 3.3): a server that does not speak of ALPN is taken to speak HTTP/1.1.
 */
export function clientProtocol(tls: TlsSession | undefined): HttpProtocol {
  return agreedProtocol(tls) ?? 'http1';
}

/** Not the protocol that was wanted. */
export function otherProtocol(wanted: HttpProtocol, tls: TlsSession | undefined, where: string): HeddleError {
  const message = `TLS with ${where}: expected to agree on ${names[wanted]}, found ${tls?.alpn ?? 'no ALPN'}; is it spoken there?`;
  return new HeddleError({ code: 'unavailable', reason: 'PROTOCOL_NOT_AGREED', message, sent: false });
}
