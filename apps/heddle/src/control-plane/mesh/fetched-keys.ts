import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';

/** How keys are fetched, and who hears of them. */
export interface FetchedKeysOptions {
  readonly runtime: Runtime;
  /** The text at a URL. Rejects when there is none. */
  readonly get: (url: string) => Promise<string>;
  /** A key set is another than before. */
  readonly changed: () => void;
}

/** What is known of the keys at a URL. */
export interface KeysView {
  readonly uri: string;
  readonly fetchedAtMs: number | undefined;
  /** Why they cannot be fetched at the moment: those of before are used on, if there are any. */
  readonly problem: string | undefined;
}

interface Kept {
  text: string | undefined;
  fetchedAtMs: number | undefined;
  problem: string | undefined;
  failures: number;
  timer: Timer | undefined;
}

/** An issuer that changes its keys publishes the new ones before it signs with them: customarily a day, some minutes at least. */
const freshMs = 300_000;
const [firstRetryMs, longestRetryMs] = [1000, 60_000];

/**
 * The key sets of issuers, fetched here for all planes, and again every five minutes. One that cannot be fetched stays as
 * it was, and is told; one that never could is none, so that no token of its issuer is believed.
 */
export class FetchedKeys implements Part {
  readonly name = 'mesh keys';
  readonly #options: FetchedKeysOptions;
  readonly #kept = new Map<string, Kept>();
  #wanted: ReadonlySet<string> = new Set();
  #stopped = false;

  constructor(options: FetchedKeysOptions) {
    this.#options = options;
  }

  /** The key set at that URL, as JSON; undefined: there is none yet. */
  at(uri: string): string | undefined {
    return this.#kept.get(uri)?.text;
  }

  /** For the API. */
  get view(): readonly KeysView[] {
    return [...this.#kept].map(([uri, { fetchedAtMs, problem }]) => ({ uri, fetchedAtMs, problem }));
  }

  /** Keeps these from now on, and no others. */
  want(uris: ReadonlySet<string>): void {
    if (uris === this.#wanted) return;
    this.#wanted = uris;
    for (const [uri, { timer }] of this.#kept) {
      if (uris.has(uri)) continue;
      timer?.cancel();
      this.#kept.delete(uri);
    }
    for (const uri of uris) {
      if (this.#kept.has(uri)) continue;
      const kept = {
        text: undefined,
        fetchedAtMs: undefined,
        problem: undefined,
        failures: 0,
        timer: undefined,
      };
      this.#kept.set(uri, kept);
      void this.#fetch(uri, kept);
    }
  }

  async start(): Promise<void> {}

  async drain(): Promise<void> {
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#kept.values()) timer?.cancel();
  }

  async #fetch(uri: string, kept: Kept): Promise<void> {
    const { runtime, get, changed } = this.#options;
    let isOther = false;
    try {
      const text = keySetIn(await get(uri), uri);
      isOther = text !== kept.text;
      Object.assign(kept, { text, fetchedAtMs: runtime.clock.wallMs(), problem: undefined, failures: 0 });
    } catch (thrown) {
      const { message } = HeddleError.from(thrown);
      if (kept.problem !== message)
        runtime.log('warn', 'the keys of an issuer cannot be fetched', {
          uri,
          message,
          kept: kept.text !== undefined,
        });
      kept.problem = message;
      kept.failures += 1;
    }
    if (this.#stopped || this.#kept.get(uri) !== kept) return;
    const retryMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(kept.failures - 1, 10));
    kept.timer = runtime.timers.after(
      kept.failures > 0 ? retryMs : freshMs,
      () => void this.#fetch(uri, kept),
    );
    if (isOther) changed();
  }
}

/** Throws `data_loss` / `BAD_KEY_SET` for what is no key set: a page of a proxy is no reason to forget the keys. */
function keySetIn(text: string, uri: string): string {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    if (Array.isArray(keys)) return JSON.stringify({ keys });
  } catch {
    // As any other that is none.
  }
  const message = `${uri}: expected a JSON Web Key Set, found ${JSON.stringify(text.slice(0, 100))}`;
  throw new HeddleError({ code: 'data_loss', reason: 'BAD_KEY_SET', message });
}
