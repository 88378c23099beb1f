import { type Clock, HeddleError } from '@heddle/kernel';
import { readKeySet, type VerifyKey } from './key-set.ts';

/** Where a verifier finds keys. */
export interface KeySource {
  /** The keys that a token with this `kid` may be verified with; empty if there are none. May wait for a fetch. */
  keysFor(kid: string | undefined): readonly VerifyKey[] | Promise<readonly VerifyKey[]>;
  /**
   * Another number whenever the keys have changed: what was verified under an old one must be verified again. Asking
   * counts as use: a source that renews itself does so.
   */
  version(): number;
}

/** Keys that never change. */
export function fixedKeys(keys: readonly VerifyKey[]): KeySource {
  return { keysFor: (kid) => matching(keys, kid), version: () => 0 };
}

/** What `RemoteKeys` is made from. */
export interface RemoteKeysOptions {
  readonly clock: Clock;
  /** Gets the key set's text; rejects when it cannot. Bounded in time and size by whoever gives it. */
  readonly fetch: () => Promise<string>;
  /** A set of this age is fetched anew, while the old one goes on. Default five minutes. */
  readonly maxAgeMs?: number;
  /** Between two fetches at least: an unknown `kid` costs no more. Default 30 s. */
  readonly coolDownMs?: number;
  /** Hears of each set that could not be had or was not taken. Must not throw. */
  readonly onFailure?: (error: HeddleError) => void;
}

/**
 * The keys of an issuer by URL. They are fetched at first use, again when they are old (without anybody waiting), and
 * when a token names a key that is not there, once per cool-down. A set that cannot be had or read leaves the last
 * good one in place; without any there are no keys, so that nothing is accepted.
 */
export class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions;
  #keys: readonly VerifyKey[] = [];
  #text = '';
  #version = 0;
  #fetchedAtMs: number | undefined;
  #triedAtMs: number | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  keysFor(kid: string | undefined): readonly VerifyKey[] | Promise<readonly VerifyKey[]> {
    const found = matching(this.#keys, kid);
    if (found.length > 0) {
      this.#renewOld();
      return found;
    }
    const refreshed = this.#refresh();
    return refreshed === undefined ? found : refreshed.then(() => matching(this.#keys, kid));
  }

  version(): number {
    this.#renewOld();
    return this.#version;
  }

  #renewOld(): void {
    const { clock, maxAgeMs = 300_000 } = this.#options;
    if (clock.nowMs() - (this.#fetchedAtMs ?? 0) > maxAgeMs) void this.#refresh();
  }

  /** The fetch that runs, or a new one; undefined during the cool-down. */
  #refresh(): Promise<void> | undefined {
    const { clock, coolDownMs = 30_000 } = this.#options;
    if (this.#running !== undefined) return this.#running;
    const nowMs = clock.nowMs();
    if (this.#triedAtMs !== undefined && nowMs - this.#triedAtMs < coolDownMs) return undefined;
    this.#triedAtMs = nowMs;
    this.#running = this.#fetch().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #fetch(): Promise<void> {
    try {
      const text = await this.#options.fetch();
      // The same set again keeps its version: what was verified by it need not be verified again.
      if (text !== this.#text || this.#keys.length === 0) {
        this.#keys = readKeySet(parsed(text));
        this.#text = text;
        this.#version++;
      }
      this.#fetchedAtMs = this.#options.clock.nowMs();
    } catch (thrown) {
      this.#options.onFailure?.(HeddleError.from(thrown));
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HeddleError({
      code: 'failed_precondition',
      reason: 'BAD_KEY_SET',
      message: 'the key set is no JSON',
      sent: false,
    });
  }
}

/** With a `kid`, the key of that name or those without one; without, all. */
function matching(keys: readonly VerifyKey[], kid: string | undefined): readonly VerifyKey[] {
  if (kid === undefined) return keys;
  const named = keys.filter((key) => key.kid === kid);
  return named.length > 0 ? named : keys.filter((key) => key.kid === undefined);
}
