import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { HeddleError } from '../error.ts';
import type { TlsIdentity, TlsMaterial } from '../ports/tls.ts';
import { alternativeNames, NameTable } from './tls-names.ts';

/** Material in the form that handshakes take. */
export interface CompiledMaterial {
  /** For the first identity, or for none: what a client connects with, and what a server begins with. */
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  /** The context of the certificate for a server name; undefined if none is for it. */
  find(serverName: string): SecureContext | undefined;
}

const ciphersOf13 = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

const compiled = new WeakMap<TlsMaterial, CompiledMaterial>();

/**
 * Makes material ready, once for each value. Throws `invalid_argument`: `CERTIFICATE_INVALID` where something cannot be
 * read, `KEY_MISMATCH` where a key is not that of its certificate.
 */
export function compileMaterial(material: TlsMaterial): CompiledMaterial {
  const known = compiled.get(material);
  if (known !== undefined) return known;
  const made = compile(material);
  compiled.set(material, made);
  return made;
}

function compile(material: TlsMaterial): CompiledMaterial {
  const { trust, revocations } = material;
  if (trust !== undefined) for (const pem of blocks(trust, 'trust')) readCertificate(pem, 'trust');
  const common: SecureContextOptions = { minVersion: material.oldest ?? 'TLSv1.2' };
  if (material.newest !== undefined) common.maxVersion = material.newest;
  // Node switches TLS 1.3 off where none of its ciphers is among them.
  if (material.ciphers !== undefined) common.ciphers = `${ciphersOf13}:${material.ciphers}`;
  if (trust !== undefined) common.ca = trust;
  if (revocations !== undefined) common.crl = revocations;
  const names = new NameTable<SecureContext>();
  const all = material.identities.map((identity, index) => {
    const leaf = checkIdentity(identity, `identities[${index}]`);
    const options = { ...common, cert: identity.certificates, key: identity.privateKey };
    const context = makeContext(options);
    for (const name of alternativeNames(leaf.subjectAltName).get('DNS') ?? []) names.add(name, context);
    return { options, context };
  });
  const first = all[0] ?? { options: common, context: makeContext(common) };
  return { ...first, find: (serverName) => names.find(serverName) };
}

/** Its first certificate, which must be that of its key. */
function checkIdentity({ certificates, privateKey }: TlsIdentity, where: string): X509Certificate {
  const [leaf] = blocks(certificates, where).map((pem) => readCertificate(pem, where));
  if (leaf?.checkPrivateKey(readKey(privateKey, where)) === true) return leaf;
  throw unusable(
    'KEY_MISMATCH',
    `${where}: the private key is not that of the first certificate; put the leaf first`,
  );
}

function blocks(pem: string, where: string): readonly string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (found !== null) return found;
  throw unusable('CERTIFICATE_INVALID', `${where}: expected certificates in PEM, found none`);
}

function readCertificate(pem: string, where: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw unusable('CERTIFICATE_INVALID', `${where}: a certificate cannot be read`, cause);
  }
}

function readKey(pem: string, where: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // Without the cause: nothing of a key may get into a log.
    throw unusable('CERTIFICATE_INVALID', `${where}: expected a private key in PEM that is not encrypted`);
  }
}

function makeContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unusable('CERTIFICATE_INVALID', `OpenSSL does not take certificates, key or revocations: ${why}`);
  }
}

/** Material, or what is asked of it, that TLS cannot begin with. */
export function unusable(reason: string, what: string, cause?: unknown): HeddleError {
  const message = `TLS material: ${what}`;
  return new HeddleError({ code: 'invalid_argument', reason, message, sent: false, cause });
}
