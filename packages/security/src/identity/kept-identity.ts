import { HeddleError, type Runtime, type Timer, type TlsMaterial, type TlsSource } from '@heddle/kernel';
import { makeRequest } from './certificate-request.ts';
import type { Svid } from './certificate-service.ts';

/** Asks for a certificate by a request in PEM: of the control plane, or of a service in this process. */
export type AskForSvid = (request: string) => Promise<Svid>;

/** What a workload has to prove who it is. */
export interface HeldIdentity {
  readonly svid: Svid;
  /** PEM. */
  readonly privateKey: string;
}

/**
 * A workload's identity, kept valid: a new key and certificate at two thirds of the old one's life. Each handshake takes
 * the material of its moment (`TlsSource`), and connections that are open go on, so nothing breaks when it changes.
 */
export class KeptIdentity implements TlsSource {
  readonly #runtime: Runtime;
  readonly #ask: AskForSvid;
  readonly #listeners = new Set<(held: HeldIdentity) => void>();
  #held: HeldIdentity | undefined;
  #material: TlsMaterial | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  #closed = false;

  /** `kept`: what an earlier process of the same workload had. It is gone on with as long as it is good. */
  constructor(runtime: Runtime, ask: AskForSvid, kept?: HeldIdentity) {
    this.#runtime = runtime;
    this.#ask = ask;
    this.#held = kept;
  }

  /** Gets the first certificate, or goes on with the kept one. Rejects as `ask` does; nothing goes on then. */
  async start(): Promise<void> {
    if (this.#held !== undefined && this.#held.svid.expiresMs > this.#runtime.clock.wallMs()) this.#later();
    else await this.#renew();
  }

  /** Throws `failed_precondition` / `NO_IDENTITY` before `start` is done. */
  get held(): HeldIdentity {
    if (this.#held !== undefined) return this.#held;
    const message = 'this workload has no certificate yet';
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_IDENTITY', message, sent: false });
  }

  /** For handshakes. Throws as `held`. */
  get current(): TlsMaterial {
    const { svid, privateKey } = this.held;
    this.#material ??= { identities: [{ certificates: svid.certificates, privateKey }], trust: svid.trust };
    return this.#material;
  }

  /** Hears of each new certificate. Returns a function that ends that. */
  onRenewed(listener: (held: HeldIdentity) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** At once, whatever is left of the old: roots have changed. Rejects as `ask`; the old one stays then. */
  async renewNow(): Promise<void> {
    this.#timer?.cancel();
    try {
      await this.#renew();
    } catch (thrown) {
      this.#later();
      throw thrown;
    }
  }

  /** Asks no more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #renew(): Promise<void> {
    const { request, privateKey } = makeRequest();
    const svid = await this.#ask(request);
    if (this.#closed) return;
    this.#held = { svid, privateKey };
    this.#material = undefined;
    this.#failures = 0;
    this.#later();
    for (const listener of this.#listeners) listener(this.#held);
  }

  #later(): void {
    if (this.#closed || this.#held === undefined) return;
    const { clock, random, timers } = this.#runtime;
    const { issuedMs, expiresMs } = this.#held.svid;
    const life = expiresMs - issuedMs;
    // A tenth earlier for some, so that a thousand that were started together do not ask together.
    const dueMs = issuedMs + life * (2 / 3) * (1 - random.float() / 10);
    const again = Math.min(life / 30, 1000 * 2 ** this.#failures);
    const delayMs = this.#failures > 0 ? again : Math.max(0, dueMs - clock.wallMs());
    this.#timer = timers.after(delayMs, () => void this.#tryAgain());
  }

  async #tryAgain(): Promise<void> {
    try {
      await this.#renew();
    } catch (thrown) {
      this.#failures += 1;
      const { message } = HeddleError.from(thrown);
      this.#runtime.log('warn', 'a certificate could not be renewed; the old one is used on', {
        expiresMs: this.#held?.svid.expiresMs,
        message,
      });
      this.#later();
    }
  }
}
