import type { Share } from './route.ts';

/** A certificate with its key, and whom it believes of its clients. */
export type ServerCertificate =
  /** Files in PEM. */
  | {
      readonly kind: 'files';
      readonly cert: string;
      readonly key: string;
      readonly clientAuthorities: string | undefined;
    }
  /** PEM, from a Secret among the files of the configuration. */
  | {
      readonly kind: 'secret';
      readonly certificates: string;
      readonly privateKey: string;
      readonly trust: string | undefined;
    };

/** TLS that a server ends. */
export interface EndedTls {
  readonly kind: 'end';
  readonly certificate: ServerCertificate;
  readonly clients: 'off' | 'optional' | 'require';
  /** Names that the certificates of clients must have one of, DNS names or URIs. Empty: any. */
  readonly clientNames: readonly string[];
  readonly oldest: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly newest: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** Of TLS 1.2, in OpenSSL's names. Empty: what is usual. */
  readonly ciphers: readonly string[];
}

/** Where connections go whose TLS is ended by somebody behind. */
export interface PassedWay {
  /** As those of a server. */
  readonly hosts: readonly string[];
  readonly shares: readonly Share[];
}

/** TLS that is passed on as it comes. */
export interface PassedTls {
  readonly kind: 'pass';
  readonly ways: readonly PassedWay[];
}

/** A server of TLS with a port of its own, beside `listen`. Several may share a port: the server name tells them apart. */
export interface ServerConfig {
  /** `Gateway shop/public servers[1]`. Routes are for it by this name. */
  readonly name: string;
  readonly port: number;
  /** `shop.example`, `*.shop.example` for any name below it, or `*`. Lower case. */
  readonly hosts: readonly string[];
  readonly tls: EndedTls | PassedTls;
}

/** How routes call what comes by `listen`. */
export const onListen = 'listen';

/** The server at a port that is for a host, or for a client that names none; undefined if none is. */
export function serverAt(
  servers: readonly ServerConfig[],
  port: number,
  host: string | undefined,
): ServerConfig | undefined {
  return mostSpecific(
    servers.filter((each) => each.port === port),
    host,
  );
}

/** Whoever names the host, else the longest wildcard that covers it, else who is for any. */
export function mostSpecific<T extends { readonly hosts: readonly string[] }>(
  all: readonly T[],
  host: string | undefined,
): T | undefined {
  let found: T | undefined;
  let rank = -1;
  for (const each of all)
    for (const pattern of each.hosts) {
      const length = hostRank(pattern, host);
      if (length <= rank) continue;
      found = each;
      rank = length;
    }
  return found;
}

function hostRank(pattern: string, host: string | undefined): number {
  if (pattern === '*') return 0;
  if (host === undefined) return -1;
  if (pattern === host) return Number.POSITIVE_INFINITY;
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1)) ? pattern.length : -1;
}

/** What two hosts or wildcards have in common; undefined: nothing. */
export function commonHost(a: string, b: string): string | undefined {
  if (b === '*' || a === b) return a;
  if (b.startsWith('*.') && a.endsWith(b.slice(1))) return a;
  return a === '*' || (a.startsWith('*.') && b.endsWith(a.slice(1))) ? b : undefined;
}
