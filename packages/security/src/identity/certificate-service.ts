import { HeddleError, type Runtime } from '@heddle/kernel';
import { Authority, type AuthorityMaterial, type Wanted } from './authority.ts';
import { requestedKey } from './certificate-request.ts';
import { type SpiffeId, spiffeUri } from './spiffe-id.ts';

/** A certificate for a workload, and whom it is to believe. */
export interface Svid {
  /** PEM: the certificate, then what leads to a root. */
  readonly certificates: string;
  /** PEM: every root of the mesh, of before and of after a rotation. */
  readonly trust: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

/** What a certificate service is made from. */
export interface CertificateServiceOptions {
  readonly runtime: Runtime;
  readonly trustDomain: string;
  readonly authority: AuthorityMaterial;
  /** How long a certificate holds. Default an hour. */
  readonly lifeMs?: number;
}

/** How far clocks may be apart: a certificate is valid from so long before it is made. */
const skewMs = 60_000;

/**
 * Issues certificates to workloads of one trust domain. A root is rotated in three steps, each once the one before has
 * reached everybody, which takes a certificate's life: `introduce` the new one, which is believed from then on;
 * `switchTo` it, which signs from then on; `retire` the old one, which is believed no more.
 */
export class CertificateService {
  readonly #options: CertificateServiceOptions;
  #authority: Authority;
  #roots: readonly string[];

  /** Throws as `Authority` does. */
  constructor(options: CertificateServiceOptions) {
    this.#options = options;
    this.#authority = new Authority(options.authority);
    this.#roots = [options.authority.root.trim()];
  }

  /** PEM: all roots that are believed. */
  get trust(): string {
    return `${this.#roots.join('\n')}\n`;
  }

  /** What signs now. Never logged. */
  get signing(): AuthorityMaterial {
    return this.#authority.material;
  }

  /** How long a certificate holds. */
  get lifeMs(): number {
    return this.#options.lifeMs ?? 3_600_000;
  }

  /**
   * A certificate for whom the caller has proved to be; `request`: PEM, PKCS #10. Throws `invalid_argument` for a
   * request that proves nothing, `permission_denied` / `FOREIGN_TRUST_DOMAIN` for a workload of another mesh.
   */
  issue(id: SpiffeId, request: string): Svid {
    const { trustDomain } = this.#options;
    if (id.trustDomain !== trustDomain) {
      const message = `this mesh is ${trustDomain}: it does not vouch for workloads of ${id.trustDomain}`;
      throw new HeddleError({
        code: 'permission_denied',
        reason: 'FOREIGN_TRUST_DOMAIN',
        message,
        sent: false,
      });
    }
    return this.#issued({ uri: spiffeUri(id) }, request, this.lifeMs);
  }

  /**
   * A certificate for a server of the authority's own owner, by the names and addresses at which it is called: never for
   * whoever asks. Good for `lifeMs`. Throws `invalid_argument` for a request
   * that proves nothing, and `BAD_HOST`.
   */
  issueServer(hosts: readonly [string, ...string[]], request: string, lifeMs: number): Svid {
    return this.#issued({ hosts }, request, lifeMs);
  }

  #issued(of: Wanted['of'], request: string, lifeMs: number): Svid {
    const { runtime } = this.#options;
    const key = requestedKey(request);
    const nowMs = runtime.clock.wallMs();
    const expiresMs = Math.min(nowMs + lifeMs, this.#authority.endsMs);
    const certificates = this.#authority.issue(key, {
      of,
      fromMs: nowMs - skewMs,
      untilMs: expiresMs,
      serial: runtime.random.bytes(16),
    });
    return { certificates, trust: this.trust, issuedMs: nowMs, expiresMs };
  }

  /** Believes another root too. */
  introduce(root: string): void {
    const text = root.trim();
    if (!this.#roots.includes(text)) this.#roots = [...this.#roots, text];
  }

  /** Signs by another authority. Throws `failed_precondition` / `ROOT_UNKNOWN` if nobody believes its root yet. */
  switchTo(material: AuthorityMaterial): void {
    const next = new Authority(material);
    if (!this.#roots.includes(material.root.trim())) {
      const message =
        'the root of the new authority is not introduced: nobody would believe its certificates';
      throw new HeddleError({ code: 'failed_precondition', reason: 'ROOT_UNKNOWN', message, sent: false });
    }
    this.#authority = next;
  }

  /** Believes a root no more. Throws `failed_precondition` / `ROOT_IN_USE` for the one that signs. */
  retire(root: string): void {
    if (this.#authority.material.root.trim() === root.trim()) {
      const message = 'this root signs the certificates of now: switch to another first';
      throw new HeddleError({ code: 'failed_precondition', reason: 'ROOT_IN_USE', message, sent: false });
    }
    this.#roots = this.#roots.filter((each) => each !== root.trim());
  }
}
