import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { ecdsaWithSha256 } from './certificate-request.ts';
import { bits, der, elements, oid, pem, sequence, serialNumber, tag, time } from './der.ts';
import { serverName } from './server-name.ts';

/** What signs certificates: a root of our own, or an intermediate that somebody else has made. */
export interface AuthorityMaterial {
  /** PEM: its certificate, then those between it and its root. */
  readonly certificates: string;
  /** PEM. */
  readonly privateKey: string;
  /** PEM: the root that others are to believe. */
  readonly root: string;
}

/** What a certificate says. */
export interface Wanted {
  /** The workload's SPIFFE ID, or the names and addresses of a server. */
  readonly of: { readonly uri: string } | { readonly hosts: readonly string[] };
  readonly fromMs: number;
  readonly untilMs: number;
  /** 16 unpredictable bytes. */
  readonly serial: Uint8Array;
}

const hourMs = 3_600_000;
const names = {
  commonName: oid('2.5.4.3'),
  basicConstraints: oid('2.5.29.19'),
  keyUsage: oid('2.5.29.15'),
  extendedKeyUsage: oid('2.5.29.37'),
  alternativeNames: oid('2.5.29.17'),
  subjectKey: oid('2.5.29.14'),
  authorityKey: oid('2.5.29.35'),
  serverAuth: oid('1.3.6.1.5.5.7.3.1'),
  clientAuth: oid('1.3.6.1.5.5.7.3.2'),
};

/** Signs certificates of workloads (X.509-SVID: one URI, no other name) and of servers of its own; leaves sign nothing. */
export class Authority {
  readonly material: AuthorityMaterial;
  readonly #key: KeyObject;
  readonly #issuer: Uint8Array;
  readonly #keyId: Uint8Array;
  readonly #endsMs: number;

  /** Throws `invalid_argument` / `BAD_AUTHORITY` where the key is not the certificate's, or it may not sign. */
  constructor(material: AuthorityMaterial) {
    const certificate = new X509Certificate(material.certificates);
    this.#key = createPrivateKey(material.privateKey);
    if (!certificate.ca) throw bad('its certificate is not of an authority');
    if (!certificate.checkPrivateKey(this.#key)) throw bad('its key is not that of its certificate');
    if (this.#key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw bad('its key is not of P-256');
    this.material = material;
    this.#issuer = subjectOf(certificate.raw);
    this.#keyId = keyIdOf(createPublicKey(this.#key));
    this.#endsMs = certificate.validToDate.getTime();
  }

  /** When it can sign no more. */
  get endsMs(): number {
    return this.#endsMs;
  }

  /** A certificate for that key, and what leads from it to the root (PEM). It does not outlive the authority's. */
  issue(key: KeyObject, { of, fromMs, untilMs, serial }: Wanted): string {
    const certificate = signed(this.#key, {
      serial,
      issuer: this.#issuer,
      subject: sequence(),
      fromMs,
      untilMs: Math.min(untilMs, this.#endsMs),
      key,
      extensions: [
        // The only name it has, so that it must be understood (RFC 5280, 4.2.1.6).
        extension(names.alternativeNames, sequence(...namesOf(of)), true),
        extension(names.keyUsage, der(tag.bits, Uint8Array.of(7, 0x80)), true),
        extension(names.extendedKeyUsage, sequence(names.serverAuth, names.clientAuth)),
        extension(names.authorityKey, sequence(der(0x80, this.#keyId))),
      ],
    });
    const isRoot = this.material.certificates.trim() === this.material.root.trim();
    return isRoot ? certificate : `${certificate}${this.material.certificates}`;
  }
}

/** A new root of our own (P-256). */
export function makeRoot(
  trustDomain: string,
  nowMs: number,
  lifeMs: number,
  serial: Uint8Array,
): AuthorityMaterial {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(
    der(tag.set, sequence(names.commonName, der(tag.utf8, Buffer.from(`Heddle mesh ${trustDomain}`)))),
  );
  const certificate = signed(privateKey, {
    serial,
    issuer: name,
    subject: name,
    // Clocks of others may be behind ours.
    fromMs: nowMs - hourMs,
    untilMs: nowMs + lifeMs,
    key: publicKey,
    extensions: [
      extension(names.basicConstraints, sequence(der(tag.boolean, Uint8Array.of(0xff))), true),
      extension(names.keyUsage, der(tag.bits, Uint8Array.of(1, 0x06)), true),
      extension(names.subjectKey, der(tag.octets, keyIdOf(publicKey))),
      extension(names.alternativeNames, sequence(der(0x86, Buffer.from(`spiffe://${trustDomain}`)))),
    ],
  });
  return {
    certificates: certificate,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    root: certificate,
  };
}

interface Parts {
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly key: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

function signed(by: KeyObject, parts: Parts): string {
  const { serial, issuer, subject, fromMs, untilMs, key, extensions } = parts;
  const content = sequence(
    der(0xa0, der(tag.integer, Uint8Array.of(2))),
    serialNumber(serial),
    ecdsaWithSha256,
    issuer,
    sequence(time(fromMs), time(untilMs)),
    subject,
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  return pem('CERTIFICATE', sequence(content, ecdsaWithSha256, bits(sign('sha256', content, by))));
}

function namesOf(of: Wanted['of']): readonly Uint8Array[] {
  return 'uri' in of ? [der(0x86, Buffer.from(of.uri, 'latin1'))] : of.hosts.map(serverName);
}

function extension(name: Uint8Array, value: Uint8Array, critical = false): Uint8Array {
  const flag = critical ? [der(tag.boolean, Uint8Array.of(0xff))] : [];
  return sequence(name, ...flag, der(tag.octets, value));
}

/** The subject as it is written, which is what the issuer of another must be. */
function subjectOf(certificate: Uint8Array): Uint8Array {
  const [content] = elements(elements(certificate)[0]?.content ?? certificate);
  const parts = elements(content?.content ?? certificate);
  const subject = parts[5];
  if (subject === undefined) throw bad('its certificate cannot be read');
  return subject.whole;
}

/** RFC 5280, 4.2.1.2, the first way. */
function keyIdOf(key: KeyObject): Uint8Array {
  const spki = elements(key.export({ type: 'spki', format: 'der' }))[0];
  const point = elements(spki?.content ?? new Uint8Array())[1];
  return createHash('sha1')
    .update(point?.content.subarray(1) ?? new Uint8Array())
    .digest();
}

function bad(why: string): HeddleError {
  const message = `the authority cannot be used: ${why}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_AUTHORITY', message, sent: false });
}
