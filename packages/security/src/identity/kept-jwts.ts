import type { Clock } from '@heddle/kernel';
import type { JwtSvid } from './jwt-svid.ts';

/** Asks for a token for an audience: of the control plane, or of a service in this process. */
export type AskForJwt = (audience: readonly string[]) => Promise<JwtSvid>;

const mostKept = 100;

/**
 * The tokens of one workload, by audience: one that was given is given again until half of its life is over, so that who
 * asks before each call costs nothing, and gets none that ends on its way.
 */
export class KeptJwts {
  readonly #clock: Clock;
  readonly #ask: AskForJwt;
  readonly #kept = new Map<string, Promise<JwtSvid>>();

  constructor(clock: Clock, ask: AskForJwt) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** One that is good. Rejects as the question does. */
  async of(audience: readonly string[]): Promise<JwtSvid> {
    const key = JSON.stringify(audience.toSorted());
    for (;;) {
      const kept = this.#kept.get(key);
      if (kept === undefined) return this.#asked(key, audience);
      // Who asks while another waits, waits for the same one.
      const svid = await kept;
      if (this.#isFresh(svid)) return svid;
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    }
  }

  /** Those of before are given to nobody any more: the keys of the mesh may have changed. */
  forget(): void {
    this.#kept.clear();
  }

  #isFresh({ issuedMs, expiresMs }: JwtSvid): boolean {
    return this.#clock.wallMs() < issuedMs + (expiresMs - issuedMs) / 2;
  }

  async #asked(key: string, audience: readonly string[]): Promise<JwtSvid> {
    const asked = this.#ask(audience);
    this.#kept.set(key, asked);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
    try {
      return await asked;
    } catch (thrown) {
      if (this.#kept.get(key) === asked) this.#kept.delete(key);
      throw thrown;
    }
  }
}
