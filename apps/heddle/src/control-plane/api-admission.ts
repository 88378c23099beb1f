import { collected } from '@heddle/api';
import type { EmbeddedRegistry } from '@heddle/discovery/embedded';
import { type Instance, instance as readInstance } from '@heddle/discovery';
import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import { type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import type { ApiCatalogue } from './api-catalogue.ts';

/** What guards the registrations. */
export interface ApiAdmissionOptions {
  readonly runtime: Runtime;
  readonly registry: EmbeddedRegistry;
  readonly catalogue: ApiCatalogue;
  /** How long an instance is waited for to tell its contract. */
  readonly contractMs: () => number;
}

/** The member of an instance's metadata that tells why it gets no calls: the hash of its contract. */
const quarantineKey = 'quarantine';

const longestBodyBytes = 1024 * 1024;
/** How often instances are asked that could not be asked when they came, or came before this process did. */
const lookMs = 5000;

interface Put {
  readonly instance: Instance;
  readonly lease: string;
  readonly ttlMs: number;
}

/**
 * Stands before the registry: whoever registers is asked for its contract first, and what the catalogue refuses is
 * registered in `maintenance`, so that it gets no calls and everybody sees why. An instance that tells no contract, or
 * cannot be asked, is let in: a catalogue is no reason for an outage.
 */
export class ApiAdmission implements Part {
  readonly name = 'contracts';
  readonly #options: ApiAdmissionOptions;
  /** What was registered as something else than it asked for, by service and id. */
  readonly #held = new Map<string, Put & { readonly hash: string }>();
  /** Instances that have been asked. */
  #asked = new Set<string>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: ApiAdmissionOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The registry's service with the guard before it. */
  before(registry: HttpService): HttpService {
    return async (request, call) => {
      const [path = ''] = request.path.split('?', 1);
      if (request.method !== 'PUT' || !/^\/v1\/services\/[^/]+\/instances\/[^/]+$/.test(path))
        return registry(request, call);
      const bytes = await request.body.bytes(longestBodyBytes);
      const put = putIn(bytes);
      const admitted = put === undefined ? bytes : await this.#admitted(put, bytes);
      return registry({ ...request, body: wholeBody(admitted) } satisfies HttpRequest, call);
    };
  }

  /** Lets in what is held for a contract that is one of the catalogue's now. */
  async release(service: string, hash: string): Promise<void> {
    for (const [key, { instance, lease, ttlMs, hash: held }] of this.#held) {
      if (instance.service !== service || held !== hash) continue;
      this.#held.delete(key);
      await this.#options.registry.store.put({ instance, lease, ttlMs }, false).catch((thrown: unknown) => {
        const { message } = HeddleError.from(thrown);
        this.#options.runtime.log('warn', 'an approved instance is no longer there', { key, why: message });
      });
    }
  }

  async #admitted(put: Put, bytes: Uint8Array): Promise<Uint8Array> {
    const hash = await this.#refusedHash(put.instance);
    const key = keyOf(put.instance);
    if (hash === undefined) {
      this.#held.delete(key);
      return bytes;
    }
    this.#held.set(key, { ...put, hash });
    const { instance } = put;
    const kept = {
      ...instance,
      state: 'maintenance',
      metadata: { ...instance.metadata, [quarantineKey]: hash },
    };
    const body = JSON.parse(new TextDecoder().decode(bytes)) as object;
    return new TextEncoder().encode(JSON.stringify({ ...body, instance: kept }));
  }

  /** The hash of the contract for which an instance is refused. */
  async #refusedHash(instance: Instance): Promise<string | undefined> {
    const { runtime, catalogue, contractMs } = this.#options;
    try {
      const contract = await collected(instance, { runtime, timeoutMs: contractMs() });
      this.#asked.add(keyOf(instance));
      if (contract === undefined) return undefined;
      const { service, id, version: serviceVersion } = instance;
      const { verdict, record } = await catalogue.offer({ service, instance: id, serviceVersion, contract });
      return verdict === 'quarantined' ? record?.hash : undefined;
    } catch (thrown) {
      const { service, id } = instance;
      const why = HeddleError.from(thrown).message;
      runtime.log('warn', 'an instance did not tell its contract, and is let in', { service, id, why });
      return undefined;
    }
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.runtime.timers.after(lookMs, () => {
      void this.#look().finally(() => this.#schedule());
    });
  }

  /** Instances that are there already go on as they are: what they bring is recorded, and they are left alone. */
  async #look(): Promise<void> {
    const { registry } = this.#options;
    if (registry.closed) return;
    const present = new Set<string>();
    for (const service of await registry.services()) {
      const { instances } = await registry.instances(service);
      for (const instance of instances) {
        const key = keyOf(instance);
        present.add(key);
        if (!this.#asked.has(key)) await this.#refusedHash(instance);
      }
    }
    this.#asked = new Set([...this.#asked].filter((key) => present.has(key)));
    for (const key of this.#held.keys()) if (!present.has(key)) this.#held.delete(key);
  }
}

function keyOf({ service, id }: Instance): string {
  return `${service} ${id}`;
}

/** Undefined for what the registry will refuse by itself. */
function putIn(bytes: Uint8Array): Put | undefined {
  try {
    const { instance, lease, ttlMs } = JSON.parse(new TextDecoder().decode(bytes)) as Put;
    if (typeof lease !== 'string' || typeof ttlMs !== 'number') return undefined;
    return { instance: readInstance(instance), lease, ttlMs };
  } catch {
    return undefined;
  }
}
