import { type Identity, unauthenticated } from '../identity.ts';

/** Whom a configuration knows by certificate. */
export interface CertificateRules {
  /** SPIFFE IDs of these trust domains are identities as they are; empty: only those that are listed. */
  readonly trustDomains: readonly string[];
  readonly known: readonly KnownCertificate[];
}

/** One that is listed. */
export interface KnownCertificate {
  /** `spiffe://domain/path`, `dns:name` or `sha256:` and the certificate's fingerprint in lower-case hex. */
  readonly name: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

/** What a handshake has shown; see `PeerCertificate` of the kernel. */
export interface ShownCertificate {
  readonly verified: boolean;
  readonly fingerprint: string;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
}

// SPIFFE-ID 1.0, section 2: no port, no query, no empty or dotted segments.
const spiffeId = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/;

/** Says whom a certificate is of. */
export class CertificateSubjects {
  readonly #trustDomains: ReadonlySet<string>;
  readonly #known: ReadonlyMap<string, KnownCertificate>;

  constructor({ trustDomains, known }: CertificateRules) {
    this.#trustDomains = new Set(trustDomains);
    this.#known = new Map(known.map((each) => [each.name, each]));
  }

  /**
   * The identity of who has shown it: its fingerprint if that is listed, else its SPIFFE ID, else a DNS name that is
   * listed. Throws `unauthenticated`: `NO_CREDENTIALS` without a certificate, `BAD_CERTIFICATE` for one that is not
   * verified or of nobody that is known. Two SPIFFE IDs in one certificate are none (X509-SVID, section 2).
   */
  identify(shown: ShownCertificate | undefined): Identity {
    if (shown === undefined) throw unauthenticated('NO_CREDENTIALS', 'a client certificate is needed here');
    if (!shown.verified) throw refused('it is not verified');
    const byPrint = this.#known.get(`sha256:${shown.fingerprint}`);
    if (byPrint !== undefined) return identityOf(byPrint.name, byPrint);
    const ids = shown.uris.filter((uri) => uri.startsWith('spiffe:'));
    if (ids.length > 0) return this.#spiffe(ids);
    for (const name of shown.dnsNames) {
      const known = this.#known.get(`dns:${name}`);
      if (known !== undefined) return identityOf(known.name, known);
    }
    throw refused('it is of nobody that is known here');
  }

  #spiffe(ids: readonly string[]): Identity {
    const [id = '', ...more] = ids;
    const parts = spiffeId.exec(id);
    const segments = (parts?.[2] ?? '').split('/');
    if (parts === null || more.length > 0 || segments.includes('.') || segments.includes('..'))
      throw refused('it has not exactly one proper SPIFFE ID');
    const known = this.#known.get(id);
    if (known === undefined && !this.#trustDomains.has(parts[1] as string))
      throw refused('its SPIFFE ID is of a trust domain that is not trusted here');
    return identityOf(id, known);
  }
}

/** True for what `KnownCertificate.name` may be. */
export function isCertificateName(name: string): boolean {
  return spiffeId.test(name) || /^(dns:[a-z0-9.*-]{1,253}|sha256:[0-9a-f]{64})$/.test(name);
}

function identityOf(subject: string, known: KnownCertificate | undefined): Identity {
  const { roles = [], scopes = [] } = known ?? {};
  return { subject, method: 'mtls', issuer: '', roles, scopes, claims: {} };
}

function refused(why: string): Error {
  return unauthenticated('BAD_CERTIFICATE', `the client certificate is refused: ${why}`);
}
