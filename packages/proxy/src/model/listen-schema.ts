import { list, object, oneOf, type Read, record, text, whole } from './document.ts';

/** How much the gateway takes on; the key `limits` of a gateway file. Sizes in bytes, times in milliseconds. */
export interface LimitsDocument {
  maxRequests?: number;
  maxBodyBytes?: number;
  maxConnections?: number;
  maxHeaderBytes?: number;
  maxHeaders?: number;
  headerTimeoutMs?: number;
  bodyTimeoutMs?: number;
  idleTimeoutMs?: number;
  minBodyBytesPerSecond?: number;
  maxStreams?: number;
}

/** The limits with their defaults. */
export interface LimitsConfig {
  /** Requests in flight; further ones get 503. Default 4096. */
  readonly maxRequests: number;
  /** Of a request's body; larger ones get 413. Default 10 MiB. */
  readonly maxBodyBytes: number;
  /** Connections of clients, of each worker; further ones are closed. Default 20000. */
  readonly maxConnections: number;
  /** Of a request's head; larger ones get 431. Default 32 KiB. */
  readonly maxHeaderBytes: number;
  /** Fields of a head; more get 431. Default 100. */
  readonly maxHeaders: number;
  /** From the first byte of a head to its last, and from the opening of a connection to its first byte. Default 10 s. */
  readonly headerTimeoutMs: number;
  /** Without a byte of an awaited body, or without the client taking one of the answer. Default 30 s. */
  readonly bodyTimeoutMs: number;
  /** Between an answer and the next request. Default 60 s. */
  readonly idleTimeoutMs: number;
  /** Bodies must come this fast on average; 0: at any speed. Default 100. */
  readonly minBodyBytesPerSecond: number;
  /** Requests at a time on one connection of HTTP/2. Default 100. */
  readonly maxStreams: number;
}

const mebibyte = 1_048_576;
const hour = 3_600_000;

/** The defaults. */
export const defaultLimits: LimitsConfig = {
  maxRequests: 4096,
  maxBodyBytes: 10 * mebibyte,
  maxConnections: 20_000,
  maxHeaderBytes: 32_768,
  maxHeaders: 100,
  headerTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  minBodyBytesPerSecond: 100,
  maxStreams: 100,
};

/** Reads the key `limits`. */
export const limits: Read<LimitsDocument> = object<LimitsDocument>(
  {
    maxRequests: whole(1, 1_000_000),
    maxBodyBytes: whole(0, 1024 * mebibyte),
    maxConnections: whole(1, 1_000_000),
    maxHeaderBytes: whole(1024, mebibyte),
    maxHeaders: whole(1, 10_000),
    headerTimeoutMs: whole(1, hour),
    bodyTimeoutMs: whole(1, hour),
    idleTimeoutMs: whole(1, hour),
    minBodyBytesPerSecond: whole(0, mebibyte),
    maxStreams: whole(1, 10_000),
  },
  [],
);

/** A certificate with its key, as files in PEM. */
export interface CertificateFiles {
  /** The certificate, then those that lead to a root. */
  cert: string;
  key: string;
}

/** TLS of the listener; the key `tls` of a gateway file. Files are read again when they change. */
export interface TlsConfig {
  /** Chosen by the name that the client asks for (SNI); the first is for all other names. */
  certificates: CertificateFiles[];
  /** Whether clients are asked for a certificate. Default `off`. */
  clients?: 'off' | 'request' | 'require';
  /** Whose certificates of clients are believed: a file in PEM. Needed unless `clients` is `off`. */
  clientAuthorities?: string;
}

/** Reads the name of a file. */
export const file: Read<string> = text(
  'the name of a file',
  (value) => value !== '' && !value.includes('\0'),
);

/** Reads the key `tls`. */
export const tls: Read<TlsConfig> = (at) => {
  const made = object<TlsConfig>(
    {
      certificates: list(object<CertificateFiles>({ cert: file, key: file }, ['cert', 'key']), 1000),
      clients: oneOf('off', 'request', 'require'),
      clientAuthorities: file,
    },
    ['certificates'],
  )(at);
  if (made === undefined) return undefined;
  if (made.certificates.length === 0) return at.problem('expected at least one certificate');
  if ((made.clients ?? 'off') !== 'off' && made.clientAuthorities === undefined)
    return at.problem('"clients" needs "clientAuthorities", whom to believe');
  return made;
};

/** Reads the key `trustedProxies`: what they say of whoever asked them is believed. */
export const trustedProxies: Read<string[]> = list(
  text('an IP address, or a range such as 10.0.0.0/8', isRange),
  1000,
);

/** The name of a zone that callers are in. */
export const zoneName: Read<string> = text('a name of letters, digits and "-"', isZoneName);

/** Reads the key `zones`: which addresses callers of a zone have. */
export const zones: Read<Readonly<Record<string, readonly string[]>>> = (at) => {
  const read = record('a name of letters, digits and "-"', isZoneName, trustedProxies)(at);
  return read && Object.fromEntries(read);
};

function isZoneName(value: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}$/.test(value);
}

function isRange(value: string): boolean {
  const [address = '', bits, ...more] = value.split('/');
  const four =
    /^(\d{1,3}\.){3}\d{1,3}$/.test(address) && address.split('.').every((part) => Number(part) < 256);
  const six = address.includes(':') && URL.canParse(`http://[${address}]/`);
  if ((!four && !six) || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (four ? 32 : 128));
}
