import type { EmbeddedRegistry } from '@heddle/discovery/embedded';
import { type Instance, instance as readInstance } from '@heddle/discovery';
import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import { type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import { type ApiJudge, keptOut, undecided } from './api-judge.ts';

/** What guards the registrations. */
export interface ApiAdmissionOptions {
  readonly runtime: Runtime;
  readonly registry: EmbeddedRegistry;
  readonly judge: ApiJudge;
}

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
 * registered in `maintenance`, so that it gets no calls and everybody sees why. An instance that has no contract is let
 * in. One that cannot be asked, or that the catalogue cannot judge, is let in or held as is set, and counted either way;
 * what is held for that is judged again until it can be.
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
    const hash = this.#options.judge.ruled(await this.#refusedHash(put.instance));
    const key = keyOf(put.instance);
    if (hash === undefined) {
      this.#held.delete(key);
      return bytes;
    }
    this.#held.set(key, { ...put, hash });
    const kept = keptOut(put.instance, hash);
    const body = JSON.parse(new TextDecoder().decode(bytes)) as object;
    return new TextEncoder().encode(JSON.stringify({ ...body, instance: kept }));
  }

  async #refusedHash(instance: Instance): Promise<string | undefined> {
    const found = await this.#options.judge.refusedHash(instance);
    if (found !== undecided) this.#asked.add(keyOf(instance));
    return found;
  }

  /** What was held for want of a judgement comes in, or is held for what it breaks. Others are only recorded. */
  async #judgeAgain(instance: Instance): Promise<void> {
    const held = this.#held.get(keyOf(instance));
    const judged = held?.hash === undecided ? held.instance : instance;
    const hash = await this.#refusedHash(judged);
    if (held?.hash !== undecided || hash === undecided) return;
    const { store } = this.#options.registry;
    if (hash === undefined) this.#held.delete(keyOf(instance));
    else this.#held.set(keyOf(instance), { ...held, hash });
    const now = hash === undefined ? judged : keptOut(judged, hash);
    await store.put({ instance: now, lease: held.lease, ttlMs: held.ttlMs }, false).catch(() => {
      // It has gone meanwhile.
    });
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
        if (!this.#asked.has(key)) await this.#judgeAgain(instance);
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
