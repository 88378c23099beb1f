/** A certificate and what proves that it is ours. A value: a renewed certificate is another identity. */
export interface TlsIdentity {
  /** PEM: the certificate, then the intermediates that lead to a root. */
  readonly certificates: string;
  /** PEM, not encrypted. Never logged and never part of an error. */
  readonly privateKey: string;
}

/** What a process shows to others and whom it believes. A value, never changed in place. */
export interface TlsMaterial {
  /**
   * A server chooses by the server name (SNI) that the client asks for, among the DNS names of the certificates:
   * exact, or a wildcard for one label; the first is for all other names and for clients that name none.
   * A client shows the first to servers that ask; with none it is anonymous.
   */
  readonly identities: readonly TlsIdentity[];
  /**
   * PEM: the certificates of the authorities that are believed, and only they. Without it a client believes those that
   * Node comes with, and a server believes nobody.
   */
  readonly trust?: string;
  /** PEM: revocation lists, one of each authority in a chain; a certificate whose authority has none is refused. */
  readonly revocations?: string;
  /** The oldest version that is spoken. Default TLSv1.2. */
  readonly oldest?: TlsVersion;
  /** The newest. Default TLSv1.3. */
  readonly newest?: TlsVersion;
  /** What TLS 1.2 may be encrypted with, in OpenSSL's names with `:` between them. Default Node's. */
  readonly ciphers?: string;
}

/** A version of TLS that is spoken here. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** Where the material of now is to be had: read at the start of each handshake. */
export interface TlsSource {
  readonly current: TlsMaterial;
}

/**
 * Whether clients must show a certificate. `off`: they are not asked. `request`: they are asked, and whoever shows none
 * or a bad one is let in all the same, with `verified` false. `optional`: they are asked, and whoever shows none is let
 * in, but nobody with a bad one. `require`: only a verified one is let in.
 */
export type ClientCertificates = 'off' | 'request' | 'optional' | 'require';

/** What a server of TLS shows, and what it wants to see. */
export interface TlsIdentification {
  readonly source: TlsSource;
  /** Default `off`. Otherwise the material must have `trust`. */
  readonly clients?: ClientCertificates;
}

/** How handshakes of a server are held, whoever it is. 1.2 is the least version, as a client or as a server. */
export interface TlsHandshakes {
  /** Protocols that may be agreed on (ALPN, RFC 7301), the most liked first. Default none: it is not spoken of. */
  readonly alpn?: readonly string[];
  /** A handshake that takes longer is given up. Default 10000. */
  readonly handshakeMs?: number;
  /** Handshakes at a time; a connection beyond that is dropped. Default 1000. */
  readonly handshakes?: number;
  /**
   * Hears of each connection that was not let in. The reasons are those of `Net.connect`, and `CERTIFICATE_MISSING`,
   * `TLS_HANDSHAKE_TIMEOUT`, `TOO_MANY_HANDSHAKES`, `NO_HANDSHAKE` and `SERVER_NAME_UNKNOWN`; `CERTIFICATE_INVALID` once
   * when the source has gone bad: the server goes on with what it had.
   */
  refused?(reason: string): void;
}

/** How a server speaks TLS. */
export interface TlsListenOptions extends TlsIdentification, TlsHandshakes {
  /**
   * Take plaintext as well: a connection whose first byte begins no handshake is handed over as it is, without `tls`.
   * For protocols in which the client speaks first. Default false.
   */
  readonly plaintext?: boolean;
}

/** Several servers of TLS at one place, told apart by the name that a client asks for (SNI) before any handshake. */
export interface TlsByNameOptions extends TlsHandshakes {
  /**
   * Who takes a connection: one that ends TLS, or `pass`: it is handed over as it came, with `passed`. Undefined: nobody,
   * and it is dropped. The name is in lower case and without a trailing dot; undefined where none is asked for, or
   * nothing that is a host name. Must not throw.
   */
  choose(serverName: string | undefined): TlsIdentification | 'pass' | undefined;
}

/** How a client speaks TLS. The server is always verified. */
export interface TlsConnectOptions {
  readonly source: TlsSource;
  /** What the server is asked for (SNI) and must prove to be: a host name in ASCII, or an IP address. Default the address's host. */
  readonly serverName?: string;
  /** What the server must prove to be instead: a URI among its names, such as `spiffe://domain/workload`. */
  readonly peerUri?: string;
  /** Protocols to offer, the most liked first (RFC 7301). Default none. */
  readonly alpn?: readonly string[];
}

/** What a peer's certificate says. It may be believed only when `verified`. */
export interface PeerCertificate {
  /** The chain led to a trusted authority, nothing in it was expired or revoked, and it is meant for this use. */
  readonly verified: boolean;
  /** Why not, in OpenSSL's word, such as `CERT_HAS_EXPIRED`; undefined when verified. */
  readonly problem: string | undefined;
  /** SHA-256 of the certificate (DER), lower-case hex. */
  readonly fingerprint: string;
  /** The distinguished name, a part per line, as Node prints it. For people and logs: compare the names below instead. */
  readonly subject: string;
  /** Subject alternative names that are DNS names, lower case. May hold wildcards. */
  readonly dnsNames: readonly string[];
  /** Subject alternative names that are URIs, as they are. */
  readonly uris: readonly string[];
  /** When it expires, in milliseconds since 1970-01-01 UTC. */
  readonly expiresAtMs: number;
  /** The certificate itself (DER), for checks of one's own. */
  readonly der: Uint8Array;
}

/** What a TLS handshake has found out. */
export interface TlsSession {
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** The protocol that was agreed on; undefined if one side did not speak of it. */
  readonly alpn: string | undefined;
  /** On a server: the name that the client asked for, lower case and without a trailing dot. Text from outside. */
  readonly serverName: string | undefined;
  /** On a server: whether the certificate that it has shown is for this host, a name or an IP address. */
  readonly covers?: ((host: string) => boolean) | undefined;
  /** The peer was recognised from an earlier session; what `certificate` says has been checked again. */
  readonly resumed: boolean;
  /** Undefined if the peer has shown none. */
  readonly certificate: PeerCertificate | undefined;
}
