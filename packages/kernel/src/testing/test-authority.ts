import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { TlsIdentity } from '../ports/tls.ts';

/** What a certificate for a test says. */
export interface TestCertificate {
  /** The common name: which nobody should look at. Default `test`. */
  readonly subject?: string;
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  /** IPv4 addresses. */
  readonly addresses?: readonly string[];
  /** Valid from and until, in milliseconds since 1970-01-01 UTC. Default an hour either way of the authority's now. */
  readonly fromMs?: number;
  readonly untilMs?: number;
}

const hourMs = 3_600_000;

/** Object identifiers, encoded (ITU-T X.690 section 8.19). */
const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  alternativeNames: '551d11',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
  clientAuth: '2b06010505070302',
} as const;

/**
 * An authority for tests: makes certificates as they are needed, so that none is ever committed. It writes what it is
 * told, sound or not; never use it for anything but tests.
 */
export class TestAuthority {
  /** Its own certificate (PEM), for `trust`. */
  readonly certificate: string;
  readonly #name: string;
  readonly #nowMs: number;
  readonly #key: KeyObject;
  readonly #revoked: Buffer[] = [];

  /** `nowMs`: the time of day, in milliseconds since 1970-01-01 UTC. */
  constructor(name: string, nowMs: number) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = name;
    this.#nowMs = nowMs;
    this.#key = privateKey;
    const isAuthority = extension(oid.basicConstraints, sequence(der(0x01, Buffer.from([0xff]))));
    const mayCertify = extension(oid.keyUsage, der(0x03, Buffer.from([0x01, 0x06])));
    this.certificate = this.#certify(publicKey, { subject: name }, [isAuthority, mayCertify]);
  }

  /** A certificate with a key of its own (P-256), for clients and servers. */
  issue(wanted: TestCertificate = {}): TlsIdentity {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { dnsNames = [], uris = [], addresses = [] } = wanted;
    const names = [
      ...dnsNames.map((name) => der(0x82, Buffer.from(name, 'latin1'))),
      ...uris.map((uri) => der(0x86, Buffer.from(uri, 'latin1'))),
      ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
    ];
    const usages = sequence(objectId(oid.serverAuth), objectId(oid.clientAuth));
    const extensions = [extension(oid.extendedKeyUsage, usages)];
    if (names.length > 0) extensions.push(extension(oid.alternativeNames, sequence(...names)));
    const certificates = this.#certify(publicKey, wanted, extensions);
    const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { certificates, privateKey: privateKeyPem };
  }

  /** Revokes a certificate of its own and gives the new list (PEM), valid for an hour. */
  revoke(...identities: readonly TlsIdentity[]): string {
    for (const { privateKey } of identities) this.#revoked.push(serialOf(privateKey));
    const entries = this.#revoked.map((serial) => sequence(der(0x02, serial), time(this.#nowMs)));
    const list = sequence(
      der(0x02, Buffer.from([1])),
      sequence(objectId(oid.ecdsaWithSha256)),
      distinguishedName(this.#name),
      time(this.#nowMs - hourMs),
      time(this.#nowMs + hourMs),
      ...(entries.length === 0 ? [] : [sequence(...entries)]),
    );
    return pem('X509 CRL', this.#signed(list));
  }

  #certify(publicKey: KeyObject, wanted: TestCertificate, extensions: readonly Buffer[]): string {
    const { subject = 'test', fromMs = this.#nowMs - hourMs, untilMs = this.#nowMs + hourMs } = wanted;
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const content = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, serialOfKey(spki)),
      sequence(objectId(oid.ecdsaWithSha256)),
      distinguishedName(this.#name),
      sequence(time(fromMs), time(untilMs)),
      distinguishedName(subject),
      spki,
      der(0xa3, sequence(...extensions)),
    );
    return pem('CERTIFICATE', this.#signed(content));
  }

  #signed(content: Buffer): Buffer {
    const signature = sign('sha256', content, this.#key);
    const bits = der(0x03, Buffer.from([0]), signature);
    return sequence(content, sequence(objectId(oid.ecdsaWithSha256)), bits);
  }
}

function serialOf(privateKey: string): Buffer {
  return serialOfKey(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
}

/** Positive, and without a nought at the beginning. */
function serialOfKey(spki: Buffer): Buffer {
  const serial = createHash('sha256').update(spki).digest().subarray(0, 12);
  serial.writeUInt8((serial.readUInt8(0) & 0x3f) | 0x40, 0);
  return serial;
}

/** Tag, length and value (ITU-T X.690 section 8.1). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  // The shortest form there is, or Go takes it for malformed.
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, ...parts);
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function extension(id: string, content: Buffer): Buffer {
  return sequence(objectId(id), der(0x04, content));
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(objectId(oid.commonName), der(0x0c, Buffer.from(name)))));
}

/** UTCTime, good until 2049 (RFC 5280 section 4.1.2.5.1). */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
