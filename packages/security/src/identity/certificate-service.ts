import { HeddleError, type Runtime } from '@heddle/kernel';
import { Authority, type AuthorityMaterial, type Wanted } from './authority.ts';
import { requestedKey } from './certificate-request.ts';
import { type JwtKey, type JwtSigner, jwtSignerOf } from './jwt-key.ts';
import { type JwtSvid, readAudience, signJwtSvid } from './jwt-svid.ts';
import { type SpiffeId, spiffeUri } from './spiffe-id.ts';

/** A certificate for a workload, and whom it is to believe. */
export interface Svid {
  /** PEM: the certificate, then what leads to a root. */
  readonly certificates: string;
  /** PEM: every root of the mesh, of before and of after a rotation. */
  readonly trust: string;
  /** The keys of the mesh’s tokens, of before and of after a rotation; undefined: it was issued by who makes no tokens. */
  readonly jwtKeys?: readonly JwtKey[];
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
  /** How long a token holds. Default five minutes. */
  readonly jwtLifeMs?: number;
}

/** An authority that is believed. */
interface Believed {
  readonly root: string;
  readonly jwtKey: JwtKey;
}

/** How far clocks may be apart: a certificate is valid from so long before it is made. */
const skewMs = 60_000;

/**
 * Issues certificates and tokens to workloads of one trust domain. An authority is rotated in three steps, each once the
 * one before has reached everybody, which takes a certificate's life: `introduce` the new one, which is believed from then
 * on; `switchTo` it, which signs from then on; `retire` the old one, which is believed no more.
 */
export class CertificateService {
  readonly #options: CertificateServiceOptions;
  #authority: Authority;
  #signer: JwtSigner;
  #believed: readonly Believed[];

  /** Throws as `Authority` does. */
  constructor(options: CertificateServiceOptions) {
    this.#options = options;
    this.#authority = new Authority(options.authority);
    this.#signer = jwtSignerOf(options.authority.privateKey);
    this.#believed = [{ root: options.authority.root.trim(), jwtKey: this.#signer.key }];
  }

  /** PEM: all roots that are believed. */
  get trust(): string {
    return `${[...new Set(this.#believed.map(({ root }) => root))].join('\n')}\n`;
  }

  /** The keys of all tokens that are believed. */
  get jwtKeys(): readonly JwtKey[] {
    return [...new Map(this.#believed.map(({ jwtKey }) => [jwtKey.kid, jwtKey])).values()];
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
    this.#checkOwn(id);
    return this.#issued({ uri: spiffeUri(id) }, request, this.lifeMs);
  }

  /**
   * A token for whom the caller has proved to be, for those whom it is to be shown to. Throws `invalid_argument` /
   * `BAD_AUDIENCE` without any, and `FOREIGN_TRUST_DOMAIN` as `issue`.
   */
  issueJwt(id: SpiffeId, audience: unknown): JwtSvid {
    this.#checkOwn(id);
    const { runtime, jwtLifeMs = 300_000 } = this.#options;
    const issuedMs = runtime.clock.wallMs();
    const expiresMs = Math.min(issuedMs + jwtLifeMs, this.#authority.endsMs);
    return signJwtSvid(this.#signer, id, readAudience(audience), { issuedMs, expiresMs });
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
    return { certificates, trust: this.trust, jwtKeys: this.jwtKeys, issuedMs: nowMs, expiresMs };
  }

  #checkOwn(id: SpiffeId): void {
    const { trustDomain } = this.#options;
    if (id.trustDomain === trustDomain) return;
    const message = `this mesh is ${trustDomain}: it does not vouch for workloads of ${id.trustDomain}`;
    throw new HeddleError({
      code: 'permission_denied',
      reason: 'FOREIGN_TRUST_DOMAIN',
      message,
      sent: false,
    });
  }

  /** Believes another authority too: its root, and the tokens that it will sign. */
  introduce({ root, privateKey }: AuthorityMaterial): void {
    const jwtKey = jwtSignerOf(privateKey).key;
    this.#believed = [...this.#believed, { root: root.trim(), jwtKey }];
  }

  /** Signs by another authority. Throws `failed_precondition` / `ROOT_UNKNOWN` if nobody believes it yet. */
  switchTo(material: AuthorityMaterial): void {
    const next = new Authority(material);
    const signer = jwtSignerOf(material.privateKey);
    const isBelieved = ({ root, jwtKey }: Believed): boolean =>
      root === material.root.trim() && jwtKey.kid === signer.key.kid;
    if (!this.#believed.some(isBelieved)) {
      const message = 'the new authority is not introduced: nobody would believe what it signs';
      throw new HeddleError({ code: 'failed_precondition', reason: 'ROOT_UNKNOWN', message, sent: false });
    }
    this.#authority = next;
    this.#signer = signer;
  }

  /** Believes a root no more, nor the tokens of its authorities. Throws `failed_precondition` / `ROOT_IN_USE` for the one that signs. */
  retire(root: string): void {
    if (this.#authority.material.root.trim() === root.trim()) {
      const message = 'this root signs the certificates of now: switch to another first';
      throw new HeddleError({ code: 'failed_precondition', reason: 'ROOT_IN_USE', message, sent: false });
    }
    this.#believed = this.#believed.filter((each) => each.root !== root.trim());
  }
}
