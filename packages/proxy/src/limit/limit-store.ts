import { HeddleError, type Runtime } from '@heddle/kernel';
import type { RateStore, StoreFailure } from '@heddle/traffic';
import type { Secrets } from '../auth/authenticator.ts';
import type { GatewayConfig } from '../model/gateway-config.ts';
import type { RateLimitStoreConfig } from './store-schema.ts';

/** A store that a gateway has opened and closes. */
export interface OpenedStore extends RateStore {
  close(): void;
}

/** Opens the store that a configuration names; it connects by itself. The password is undefined where none is named. */
export type OpenStore = (
  config: RateLimitStoreConfig,
  password: string | undefined,
  runtime: Runtime,
) => OpenedStore;

/** Where the limits of one version are counted, and what holds while that cannot be asked. */
export interface LimitStore {
  readonly store: RateStore;
  /** For `local`; the store itself where nothing is shared. */
  readonly local: RateStore;
  readonly onFailure: StoreFailure;
  readonly timeoutMs: number;
}

interface Shared {
  readonly opened: OpenedStore;
  holders: number;
}

/** The stores of all versions in use: one that two of them name is opened once. */
export class LimitStores {
  readonly #runtime: Runtime;
  readonly #secrets: Secrets;
  readonly #local: RateStore;
  readonly #open: OpenStore | undefined;
  readonly #shared = new Map<string, Shared>();

  /** `local` counts where nothing is shared. */
  constructor(runtime: Runtime, secrets: Secrets, local: RateStore, open: OpenStore | undefined) {
    this.#runtime = runtime;
    this.#secrets = secrets;
    this.#local = local;
    this.#open = open;
  }

  /**
   * The store of a configuration, to be released. Throws `failed_precondition`: `MISSING_SECRET`, and `NO_RATE_STORE`
   * where nothing was given that could open one.
   */
  take({ rateLimitStore: config }: GatewayConfig): LimitStore {
    const local = this.#local;
    if (config === undefined) return { store: local, local, onFailure: 'local', timeoutMs: 1000 };
    const { onFailure = 'local', timeoutMs = 250 } = config;
    const key = keyOf(config);
    const known = this.#shared.get(key);
    if (known !== undefined) known.holders += 1;
    const opened = known?.opened ?? this.#opened(config);
    if (known === undefined) this.#shared.set(key, { opened, holders: 1 });
    return { store: opened, local, onFailure, timeoutMs };
  }

  /** One configuration less uses its store. */
  release({ rateLimitStore: config }: GatewayConfig): void {
    if (config === undefined) return;
    const key = keyOf(config);
    const known = this.#shared.get(key);
    if (known === undefined) return;
    known.holders -= 1;
    if (known.holders > 0) return;
    this.#shared.delete(key);
    known.opened.close();
  }

  #opened(config: RateLimitStoreConfig): OpenedStore {
    const { passwordEnv } = config;
    const password = passwordEnv === undefined ? undefined : this.#secrets(passwordEnv);
    if (passwordEnv !== undefined && (password ?? '') === '')
      throw unfit(
        'MISSING_SECRET',
        `the secret ${passwordEnv} is not set: it is the password of the rate limit store`,
      );
    if (this.#open === undefined)
      throw unfit('NO_RATE_STORE', 'this gateway was made without a way to open a rate limit store');
    return this.#open(config, password, this.#runtime);
  }
}

/** What fails and how long it may take does not make it another store. */
function keyOf({ redis, passwordEnv, prefix }: RateLimitStoreConfig): string {
  return JSON.stringify([redis, passwordEnv, prefix]);
}

function unfit(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'failed_precondition', reason, message, sent: false });
}
